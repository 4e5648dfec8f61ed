"""Several processes that train together: as one alone with the whole batch."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reelflow.base.determinism import deterministic
from reelflow.base.errors import DataError, ParamsError, UnavailableError
from reelflow.training.fit import State
from reelflow.training.rendezvous import meet
from reelflow.training.workers import Workers
from tests.conftest import ROOT
from tests.reelflow.training.noise import write_noise
from tests.reelflow.training.together import (
    CLIP,
    LABELS,
    LIVES,
    RECIPE,
    config,
    train,
    weights,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def free_ports(number: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("together") / "frames"
    write_noise(root, LABELS, clip=CLIP).to_csv(root.parent / "videos.csv", index=False)
    return root


@pytest.fixture(scope="module")
def together(frames: Path) -> tuple[State, list[str]]:
    """What one alone ends in, and what each of two workers says of its lives; what they end with
    lies beside the frames."""
    ports = free_ports(2 * len(LIVES))
    pairs = [f"{one},{other}" for one, other in zip(ports[::2], ports[1::2], strict=True)]
    command = [sys.executable, "-m", "tests.reelflow.training.together"]

    def start(index: int) -> subprocess.Popen[str]:
        with (frames.parent / f"log {index}").open("w") as log:
            return subprocess.Popen(
                [*command, str(index), frames, frames.parent, *pairs],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    started = [start(index) for index in range(2)]
    deterministic()
    alone = train(frames)
    return alone, [process.communicate()[0] for process in started]


def ended(frames: Path, life: str, index: int) -> dict[str, NDArray[np.float64]]:
    with np.load(frames.parent / f"{life} {index}.npz") as arrays:
        return dict(arrays)


def same(one: dict[str, NDArray[np.float64]], other: dict[str, NDArray[np.float64]]) -> None:
    for name in ("weights", "curves", "seeds"):
        np.testing.assert_array_equal(one[name], other[name])


def test_two_processes_end_with_the_weights_and_curves_of_one(
    frames: Path, together: tuple[State, list[str]]
) -> None:
    """Clipping and averaged weights too: the gradient that is limited is that of both."""
    alone, said = together
    assert [each.splitlines()[0] for each in said] == ["whole 0"] * 2
    one = ended(frames, "whole", 0)
    same(one, ended(frames, "whole", 1))
    # Dropout has drawn in each of the six steps.
    assert one["seeds"][:, 1].tolist() == [6]
    np.testing.assert_allclose(one["weights"], weights(alone), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(one["curves"], alone.history.to_numpy(), rtol=1e-3, atol=1e-5)


def test_the_log_has_no_lines_of_tensorflow(
    frames: Path, together: tuple[State, list[str]]
) -> None:
    for index in range(2):
        log = (frames.parent / f"log {index}").read_text()
        assert "reelflow.training.rendezvous: waits for the processes at" in log
        assert "tensorflow: " not in log


def test_two_that_were_killed_go_on_and_end_in_the_same_bits(
    frames: Path, together: tuple[State, list[str]]
) -> None:
    _, said = together
    lived = ["whole 0", f"killed {-signal.SIGKILL}", "again 0"]
    assert [each.splitlines()[:3] for each in said] == [lived] * 2
    for index in range(2):
        again = ended(frames, "again", index)
        same(ended(frames, "whole", 0), again)
        # Three of six had been saved.
        assert again["steps"] == 3
    # Forgotten in the end; the second had no disk in common with the first.
    assert not list((frames.parent / "checkpoints 0 killed").iterdir())
    assert not (frames.parent / "checkpoints 1 killed").exists()


def test_one_that_is_left_alone_ends_with_a_sentence(
    frames: Path, together: tuple[State, list[str]]
) -> None:
    _, said = together
    assert said[1].splitlines()[3] == f"left {-signal.SIGTERM}"
    sentence, code = said[0].splitlines()[3:5]
    assert "Another process of this training has ended or cannot be reached" in sentence
    assert code == "left 75"
    assert list((frames.parent / "checkpoints 0 left").iterdir())


def test_one_that_is_left_alone_before_its_network_is_built_ends_with_it_too(
    together: tuple[State, list[str]],
) -> None:
    _, said = together
    assert said[1].splitlines()[4] == f"unbuilt {-signal.SIGKILL}"
    sentence, code = said[0].splitlines()[5:]
    assert "Another process of this training has ended or cannot be reached" in sentence
    assert code == "unbuilt 75"


def test_a_process_that_nobody_joins_says_whom_it_waited_for() -> None:
    ports = free_ports(2)
    here, there = [f"127.0.0.1:{port}" for port in ports]
    with pytest.raises(UnavailableError, match=f"Nothing listens at {there}, .* Start a process"):
        meet([here, there], 0, wait_s=0.1)
    with pytest.raises(UnavailableError, match="Nothing listens at no-such-host.invalid:1,"):
        meet([here, "no-such-host.invalid:1"], 0, wait_s=0.1)
    with socket.create_server(("", ports[0])), pytest.raises(ParamsError, match="cannot be had"):
        meet([here, there], 0)


def test_a_batch_that_cannot_be_shared_evenly_is_said() -> None:
    two = Workers(2, 0, object())
    assert two.part(RECIPE) == 2
    with pytest.raises(DataError, match="Set it to a multiple of 2"):
        two.part(replace(RECIPE, batch_size=5))


@pytest.mark.parametrize(
    "wrong",
    ["{", "[]", "3", config(2, [1, 2]), config(-1, [1, 2]), config(0, ["x", "y"])],
)
def test_a_tf_config_that_names_no_place_is_a_sentence(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", wrong)
    with pytest.raises(ParamsError, match="TF_CONFIG is .* It is like"):
        Workers.of_environment()


@pytest.mark.parametrize("nobody", ["", "{}", config(0, [2222])])
def test_without_others_a_process_is_alone(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", nobody)
    assert Workers.of_environment() == Workers()
