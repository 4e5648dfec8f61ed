"""One run at a time in a checkout, however the one before it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from flows.engine.run_lock import HOLDER, MARK, RunningError, only_run
from tests.conftest import ROOT
from tests.processes import wait_until

HOLD = """
import subprocess, sys, time
from flows.engine.run_lock import only_run
with only_run():
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    print(child.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def holder() -> subprocess.Popen[str]:
    """Another run at work here, which has started a program of its own."""
    started = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    yield started
    started.kill()
    started.communicate()


def child_of(holder: subprocess.Popen[str]) -> int:
    assert holder.stdout is not None
    return int(holder.stdout.readline())


def test_the_second_run_says_which_one_is_at_work_and_since_when(
    holder: subprocess.Popen[str],
) -> None:
    os.kill(child_of(holder), signal.SIGKILL)
    expected = rf"process {holder.pid}, since 20\d\d-"
    with pytest.raises(RunningError, match=expected) as caught, only_run():
        raise AssertionError
    assert f"kill {holder.pid}" in str(caught.value)


def test_a_run_that_may_wait_goes_on_when_the_other_has_ended(
    holder: subprocess.Popen[str],
) -> None:
    os.kill(child_of(holder), signal.SIGKILL)
    with pytest.raises(RunningError, match="waited 1 seconds for it"), only_run(wait_s=1.0):
        raise AssertionError
    holder.terminate()
    with only_run(wait_s=300.0):
        pass


def test_after_a_kill_the_next_run_ends_what_the_dead_one_left_at_work(
    holder: subprocess.Popen[str],
) -> None:
    left = psutil.Process(child_of(holder))
    holder.kill()
    holder.wait()
    assert left.is_running()
    with only_run(wait_s=5.0):
        wait_until(lambda: not left.is_running() or left.status() == psutil.STATUS_ZOMBIE)
        assert json.loads(Path(".reelflow/run.json").read_text())["pid"] == os.getpid()


def test_the_holder_may_enter_again_and_leaves_nothing_behind() -> None:
    with only_run():
        mark = os.environ[MARK]
        with only_run():
            assert os.environ[MARK] == mark
        assert Path(".reelflow/run.json").exists()
    assert MARK not in os.environ
    assert not Path(".reelflow/run.json").exists()


def test_what_a_finished_run_started_is_left_alone() -> None:
    with only_run():
        bystander = subprocess.Popen(["sleep", "600"])
    try:
        with only_run():
            time.sleep(0.1)
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("garbage", [b'{"pid', b"\xff\x00", b"[1]", b'{"pid": 1}'])
def test_a_spoiled_note_of_the_run_before_stops_nothing(garbage: bytes) -> None:
    HOLDER.parent.mkdir()
    HOLDER.write_bytes(garbage)
    with only_run():
        assert json.loads(HOLDER.read_text())["pid"] == os.getpid()
