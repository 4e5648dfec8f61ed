"""One pipeline run at a time in a checkout, however the one before it ended.

The lock is `flock` on `.reelflow/run.lock`: the kernel frees it when its holder dies. Beside it
`run.json` names its holder, for the message of a second run. Every process that a run starts has
the id of the run in its environment. After a `kill -9` the next run finds by that mark what the
dead one left (a stage, a server), and ends it first.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
from filelock import FileLock, Timeout

from reelflow.base.errors import ReelflowError
from reelflow.base.files import write_json
from tasks.common.paths import STATE

LOCK = STATE / "run.lock"
HOLDER = STATE / "run.json"
MARK = "REELFLOW_RUN"


class RunningError(ReelflowError):
    """Another pipeline run is at work in this checkout."""


@contextmanager
def only_run(wait_s: float = 0.0) -> Iterator[None]:
    """Hold the checkout for one pipeline run; re-entrant within a process.

    Args:
        wait_s: seconds to wait for another run to end before giving up.

    Raises:
        RunningError: another run is still at work; the text names it, and since when.
    """
    STATE.mkdir(parents=True, exist_ok=True)
    # One instance a path and one counter for all threads: the command line holds the lock already
    # when it calls a flow, which takes it again.
    lock = FileLock(LOCK.absolute(), is_singleton=True, thread_local=False)
    try:
        lock.acquire(timeout=wait_s, poll_interval=0.5)
    except Timeout:
        raise RunningError(_sentence(_holder(), wait_s)) from None
    try:
        if lock.lock_counter > 1:
            yield
        else:
            with _marked():
                yield
    finally:
        lock.release()


@contextmanager
def _marked() -> Iterator[None]:
    left = _holder()
    if left:
        end_left_over(str(left.get("run")))
    run = uuid.uuid4().hex
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    write_json(HOLDER, {"pid": os.getpid(), "run": run, "since": since})
    os.environ[MARK] = run
    try:
        yield
    finally:
        del os.environ[MARK]
        HOLDER.unlink(missing_ok=True)


def end_left_over(run: str, patience_s: float = 5.0) -> int:
    """End every process that a dead run left at work; returns how many there were."""
    left = [process for process in psutil.process_iter() if _mark_of(process) == run]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=patience_s)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=patience_s)
    return len(left)


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None  # another user's process, or one that has just ended: not of our run


def _holder() -> dict[str, Any]:
    try:
        found = json.loads(HOLDER.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"pid", "run", "since"} <= set(found) else {}


def _sentence(holder: dict[str, Any], waited_s: float) -> str:
    who = f"process {holder['pid']}, since {holder['since']}" if holder else "it has just begun"
    waited = f" This run waited {waited_s:.0f} seconds for it." if waited_s else ""
    stop = f", or stop it with `kill {holder['pid']}`" if holder else ""
    return (
        f"Another run of the pipeline is at work in this folder ({who}).{waited} Run the same "
        f"command again when it has ended{stop}."
    )
