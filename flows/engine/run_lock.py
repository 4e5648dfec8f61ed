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
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import psutil
from filelock import FileLock, Timeout

from reelflow.base.errors import ReelflowError
from reelflow.base.files import write_json
from tasks.common.paths import STATE

LOCK = STATE / "run.lock"
HOLDER = STATE / "run.json"
MARK = "REELFLOW_RUN"
# How long a process that was left over may take to end before it is killed.
_PATIENCE_S = 5.0


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
        with nullcontext() if lock.lock_counter > 1 else _marked():
            yield
    finally:
        lock.release()


@contextmanager
def _marked() -> Iterator[None]:
    if left := _holder():
        end_left_over(left["run"])
    run = uuid.uuid4().hex
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    write_json(HOLDER, {"pid": os.getpid(), "run": run, "since": since})
    os.environ[MARK] = run
    try:
        yield
    finally:
        del os.environ[MARK]
        HOLDER.unlink(missing_ok=True)


def end_left_over(run: str) -> None:
    """End every process that a dead run left at work."""
    # Those of other users have no environment that can be read, and are not of our run.
    every = psutil.process_iter(["environ"])
    left = [process for process in every if (process.info["environ"] or {}).get(MARK) == run]
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in left:
            with suppress(psutil.NoSuchProcess):
                end(process)
        _, left = psutil.wait_procs(left, timeout=_PATIENCE_S)


def _holder() -> dict[str, Any]:
    try:
        found = json.loads(HOLDER.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"pid", "run", "since"} <= set(found) else {}


def _sentence(holder: dict[str, Any], waited_s: float) -> str:
    who, stop = "it has just begun", ""
    if holder:
        who = f"process {holder['pid']}, since {holder['since']}"
        stop = f", or stop it with `kill {holder['pid']}`"
    waited = f" This run waited {waited_s:.0f} seconds for it." if waited_s else ""
    return (
        f"Another run of the pipeline is at work in this folder ({who}).{waited} Run the same "
        f"command again when it has ended{stop}."
    )
