"""Several processes that train together: as one alone with the whole batch."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reelflow.base.determinism import deterministic
from reelflow.base.errors import DataError, ParamsError
from reelflow.training.workers import Workers
from tests.conftest import ROOT
from tests.reelflow.training.noise import write_noise
from tests.reelflow.training.together import CLIP, LABELS, RECIPE, train

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def config(index: int, ports: list[int]) -> str:
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})


def free_ports(number: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


def test_two_processes_end_with_the_weights_and_curves_of_one(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    write_noise(frames, LABELS, clip=CLIP).to_csv(tmp_path / "videos.csv", index=False)
    ports = free_ports(2)
    command = [sys.executable, "-m", "tests.reelflow.training.together", frames]
    started = [
        subprocess.Popen(
            [*command, tmp_path / f"{index}.npz"],
            cwd=ROOT,
            env={**os.environ, "TF_CONFIG": config(index, ports)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    deterministic()
    alone = train(frames, Workers())
    said = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    one, two = (np.load(tmp_path / f"{index}.npz") for index in range(2))
    np.testing.assert_array_equal(one["weights"], two["weights"])
    np.testing.assert_array_equal(one["curves"], two["curves"])
    weights = np.concatenate([part.ravel() for part in alone.model.get_weights()])
    np.testing.assert_allclose(one["weights"], weights, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(one["curves"], alone.history.to_numpy(), rtol=1e-3, atol=1e-5)


def test_what_only_one_process_can_do_is_said() -> None:
    two = Workers(2, 0, object())
    assert two.part(RECIPE) == 2
    for change, words in (
        ({"batch_size": 5}, "Set it to a multiple of 2"),
        ({"clip_norm": 1.0}, "clip_norm"),
        ({"average": 0.9}, "average work in one process alone"),
    ):
        with pytest.raises(DataError, match=words):
            two.part(replace(RECIPE, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    ["{", "[]", "3", config(2, [1, 2]), config(-1, [1, 2]), '{"cluster": {"worker": ["a", "b"]}}'],
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
