"""Kills, full disks, lost servers, two runs at once: the same command again ends as if nothing
had happened."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from reelflow.params import STAGES
from tests.checkout import Checkout, make_checkout
from tests.flows.prefect_api import PrefectApi
from tests.processes import family

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Whole:
    """A pipeline that was run to its end.

    Attributes:
        checkout: where.
        cpu_s: seconds of CPU time that each stage took.
    """

    checkout: Checkout
    cpu_s: dict[str, float]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    checkout = make_checkout(tmp_path_factory.mktemp("robust") / "project")
    checkout.dvc("add", "data/raw")
    driver = checkout.start("dvc", "repro")
    cpu_s = dict.fromkeys(STAGES, 0.0)
    while driver.poll() is None:
        for process in family(driver.pid, "tasks."):
            with contextlib.suppress(psutil.NoSuchProcess):
                # That of a process that has ended, which nobody has asked for its status, is empty.
                stage = "".join(process.cmdline()[-1:]).removeprefix("tasks.")
                if stage in cpu_s:
                    cpu_s[stage] = max(cpu_s[stage], cpu_seconds(process))
        time.sleep(0.02)
    assert driver.returncode == 0, checkout.output()
    assert all(cpu_s.values()), cpu_s
    return Whole(checkout, cpu_s)


@pytest.fixture(scope="module")
def done(whole: Whole) -> Checkout:
    return whole.checkout


def forget(checkout: Checkout, stage: str) -> None:
    """Remove what a stage made, from the project and from DVC's caches, so that it truly runs."""
    for out in checkout.lock()[stage]["outs"]:
        path = checkout.root / out["path"]
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(checkout.root / ".dvc/cache")
    if stage == "extract":
        shutil.rmtree(checkout.root / ".reelflow/frames")
    for name in ("checks.sqlite", "checks.sqlite-wal", "checks.sqlite-shm"):
        (checkout.root / ".reelflow" / name).unlink(missing_ok=True)
    if stage == "register":
        (checkout.root / "mlflow.db").unlink()


def process_of(checkout: Checkout, stage: str, driver: subprocess.Popen[str]) -> psutil.Process:
    """The process of a stage, as soon as the driver has started it."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        for process in psutil.Process(driver.pid).children(recursive=True):
            try:
                if process.cmdline()[-1:] == [f"tasks.{stage}"]:
                    return process
            except psutil.Error:
                continue
        assert driver.poll() is None, checkout.output()
        time.sleep(0.01)
    raise AssertionError(f"{stage} was not started")


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def kill_in_the_middle(
    checkout: Checkout, driver: subprocess.Popen[str], stage: str, whole: float
) -> None:
    """Kill the driver and the stage when the stage has used half of the CPU time it takes."""
    process = process_of(checkout, stage, driver)
    try:
        while cpu_seconds(process) < whole / 2 and driver.poll() is None:
            time.sleep(0.02)
    except psutil.NoSuchProcess:
        raise AssertionError(f"{stage} ended before its middle") from None
    assert driver.poll() is None, checkout.output()
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()  # this one alone: other tests run the same stage at the same time


@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_in_the_middle_of_a_stage_is_mended_by_the_same_command(
    whole: Whole, tmp_path: Path, stage: str
) -> None:
    done = whole.checkout
    copy = done.copy(tmp_path / "project")
    repro = ("dvc", "repro", "--single-item", "--force", stage)
    forget(copy, stage)
    kill_in_the_middle(copy, copy.start(*repro), stage, whole.cpu_s[stage])
    # The kill seldom falls into the writing of a file: this is what it leaves then.
    (copy.root / "data/.tmp-reelflow-999999999-half.parquet").touch()
    copy.call(*repro)
    assert copy.hashes() == done.hashes()
    assert not list(copy.root.glob("data/**/.tmp-*"))


def test_of_two_runs_at_once_one_does_the_work_and_neither_harms_the_other(
    done: Checkout, tmp_path: Path, prefect_api: PrefectApi
) -> None:
    copy = done.copy(tmp_path / "project", prefect_api)
    copy.set_params(train={"seed": 1})
    names = ("one", "other")
    runs = [copy.start("reelflow", "run", to=name) for name in names]
    codes = sorted(run.wait(timeout=600) for run in runs)
    texts = [copy.output(name) for name in names]
    assert codes in ([0, 0], [0, 1]), texts
    assert not any("Traceback" in text for text in texts)
    if codes == [0, 1]:
        assert any("is at work in this folder" in text for text in texts)
    assert "Data and pipelines are up to date" in copy.dvc("repro")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with little room."""
    mount = tmp_path / "disk"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(mount)], capture_output=True
    )
    if made.returncode:
        pytest.skip("a file system can be mounted by root only")
    yield mount
    subprocess.run(["umount", "-l", str(mount)], check=True)


def test_a_full_disk_is_a_sentence_and_with_room_the_same_command_completes(
    done: Checkout, small_disk: Path
) -> None:
    copy = done.copy(small_disk / "project")
    forget(copy, "extract")
    copy.set_params(extract={"frames": 16, "height": 64, "width": 64})
    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(b"\0" * (free - 3_000_000))
    full = copy.call("dvc", "repro", "--single-item", "extract", check=False)
    assert full.returncode != 0
    assert "the disk is full" in full.stdout
    assert "Traceback" not in full.stdout
    ballast.unlink()
    copy.call("dvc", "repro", "--single-item", "extract")
    assert (copy.root / "data/frames/index.parquet").is_file()
