"""A training that was killed goes on, and ends in the same bits."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.base.determinism import deterministic
from reelflow.training import checkpoint as module
from reelflow.training.checkpoint import Checkpoint, forgotten
from reelflow.training.fit import State
from reelflow.training.model_file import weights_hash
from reelflow.training.optimizer import optimizer_of
from tests.conftest import ROOT
from tests.reelflow.training.course import CLIP, LABELS, RECIPE, STEPS, network, train
from tests.reelflow.training.noise import write_noise

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("course") / "frames"
    write_noise(root, LABELS, clip=CLIP).to_csv(root.parent / "videos.csv", index=False)
    deterministic()
    return root


@pytest.fixture(scope="module")
def whole(frames: Path) -> State:
    """What a training that nothing disturbed ends in."""
    return train(frames, None)


class Eager(Checkpoint):
    """One that is written after each step."""

    every_s = 0.0


def same(one: State, other: State) -> None:
    assert weights_hash(one.model) == weights_hash(other.model)
    pd.testing.assert_frame_equal(one.history, other.history, check_exact=True)
    assert one.best == other.best
    for variables in zip(one.optimizer.variables, other.optimizer.variables, strict=True):
        np.testing.assert_array_equal(*[variable.numpy() for variable in variables])


def kill(frames: Path, folder: Path, steps: list[int]) -> None:
    """Let trainings follow each other, each killed at its step."""
    command = [sys.executable, "-m", "tests.reelflow.training.course", frames, folder]
    done = subprocess.run(
        [*command, *map(str, steps)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(-signal.SIGKILL)] * len(steps), done.stderr


def test_killed_at_three_random_steps_it_ends_in_the_same_bits(
    frames: Path, whole: State, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    random = np.random.default_rng(time.time_ns())
    # The second step is the first that finds a checkpoint before it.
    steps = sorted(map(int, random.choice(np.arange(2, STEPS + 1), 3, replace=False)))
    kill(frames, tmp_path, steps)
    told: list[pd.DataFrame] = []
    with caplog.at_level(logging.INFO):
        resumed = train(frames, Checkpoint(tmp_path, {"a": 1}), told)
    assert "taken up after" in caplog.text
    same(resumed, whole)
    # Who keeps the curves hears of all epochs again.
    assert [len(history) for history in told] == [1, 2, 3, 4]
    assert not list(tmp_path.iterdir())


def unfitted() -> State:
    state = State(network(), optimizer_of(RECIPE, STEPS))
    state.optimizer.build(state.model.trainable_variables)
    return state


def test_a_checkpoint_that_is_damaged_is_said_and_the_training_starts_over(
    whole: State, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = Eager(tmp_path, {"a": 1})
    own.save_if_due(whole)
    content = own.path.read_bytes()
    fresh = unfitted()
    before = weights_hash(fresh.model)
    half = len(content) // 2
    for damaged in (b"", content[:-1], content[:half] + b"x" + content[half + 1 :]):
        own.path.write_bytes(damaged)
        caplog.clear()
        assert not own.restore(fresh)
        assert "is damaged or unreadable: the training starts over" in caplog.text
    assert weights_hash(fresh.model) == before
    assert fresh.epochs == 0
    own.path.write_bytes(content)
    assert own.restore(fresh)
    same(fresh, whole)


def test_another_setting_code_or_library_is_another_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def path(value: object = 1) -> Path:
        return Checkpoint(tmp_path, {"a": value}).path

    paths = {path(), path(2)}
    assert path() in paths
    monkeypatch.setattr(module, "_code", lambda: "other")
    paths.add(path())
    monkeypatch.setattr(module, "version", lambda name: "0.1")
    paths.add(path())
    assert len(paths) == 4


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(
    whole: State,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_shard", full)
    checkpoint = Eager(tmp_path, {"a": 1})
    for _ in range(3):
        checkpoint.save_if_due(whole)
    assert caplog.text.count("no checkpoint can be written any more") == 1


def test_writing_takes_a_small_share_of_the_time(
    whole: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each writing takes three seconds here, each step one: it must not happen after each step."""
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    written = []

    class Slow(Eager):
        def _save(self, state: State) -> None:
            clock[0] += 3.0
            written.append(clock[0])

    checkpoint = Slow(tmp_path, {})
    for _ in range(1000):
        clock[0] += 1.0
        checkpoint.save_if_due(whole)
    assert 2 <= len(written) <= 1000 * 0.02 / 3 + 2


def test_what_nobody_wrote_for_a_week_is_forgotten(tmp_path: Path) -> None:
    old, young = tmp_path / "old", tmp_path / "young"
    for path, days in ((old, 8), (young, 6)):
        path.touch()
        then = time.time() - days * 24 * 3600
        os.utime(path, (then, then))
    assert list(forgotten(tmp_path)) == [old]
    assert not list(forgotten(tmp_path / "none"))
