"""Programs that a run starts: each in a process group of its own, its output line by line.

The terminal's Ctrl-C does not reach a group of its own. The run stops the whole tree itself (DVC,
the stage, its ffmpegs), in the right order.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reelflow.base.errors import ended_by
from reelflow.base.terminal import printable

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_running: set[subprocess.Popen[bytes]] = set()
_guard = threading.Lock()
_stopping = threading.Event()


class StoppedError(Exception):
    """The program was stopped, or not started, because the run is being stopped."""


def environment() -> dict[str, str]:
    """The environment of every program: our own `python`, unbuffered output, a plain shell.

    DVC runs commands with `$SHELL`, which for a service's user may be one that refuses to run.
    """
    here = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    first = path if path.split(os.pathsep)[0] == here else os.pathsep.join([here, path])
    return {**os.environ, "PATH": first, "PYTHONUNBUFFERED": "1", "SHELL": "/bin/sh"}


def run_lines(command: list[str], on_line: Callable[[str], None]) -> int:
    """Run `command`, pass on each line of its output while it runs, and return its exit status.

    Of a line that a progress bar overwrites only the last text is kept; colours are dropped.

    Raises:
        StoppedError: `stop_all` was called.
    """
    with program(command) as process:
        assert process.stdout is not None
        with process.stdout as output:
            for raw in output:
                if line := clean(raw):
                    on_line(line)
        return process.wait()


def clean(raw: bytes) -> str:
    """A line of a program's output for a console and a log."""
    text = _ESCAPES.sub("", raw.decode("utf-8", "replace")).rstrip("\r\n")
    return printable(text.rsplit("\r", 1)[-1].rstrip(), lines=True)


@contextmanager
def program(
    command: list[str], stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose output can be read while it runs; on an error here it is stopped.

    Raises:
        StoppedError: `stop_all` was called before it began, or while it ran.
    """
    with _guard:
        if _stopping.is_set():
            raise StoppedError
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
            start_new_session=True,
        )
        _running.add(process)
    try:
        yield process
    except BaseException:
        stop_group(process)
        raise
    finally:
        with _guard:
            _running.discard(process)
    if _stopping.is_set():
        raise StoppedError


def killed(stage: str, output: str, status: int) -> str:
    """A sentence on the signal that ended a stage, or DVC itself; empty if none did.

    Args:
        stage: its name.
        output: what `dvc repro` printed, with the exit status of the stage: 128 and the number of
            the signal if a shell started it.
        status: that of `dvc repro`; negative if a signal ended DVC.
    """
    who = f"The stage {stage}" if status > 0 else f"DVC, at work on the stage {stage},"
    found = re.findall(r"exited with (-?\d+)$", output, re.MULTILINE)
    number = int(found[-1]) if status > 0 and found else status
    number = -number if number < 0 else number - 128
    if number not in set(signal.Signals):
        return ""
    return (
        f"{who} {ended_by(number)}. What was finished is kept: the same command goes on from there."
    )


def stop_all() -> None:
    """Stop every program that is running, and let no other start until `allow` is called."""
    _stopping.set()
    with _guard:
        running = list(_running)
    for process in running:
        stop_group(process)


def allow() -> None:
    """Let programs start again, after `stop_all`."""
    _stopping.clear()


def stop_group(
    process: subprocess.Popen[bytes],
    patience_s: float = 10.0,
    kinds: Iterable[signal.Signals] = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL),
) -> None:
    """Interrupt a program and all that it started, then terminate, then kill what is left."""
    for kind in kinds:
        try:
            os.killpg(process.pid, kind)
            deadline = time.monotonic() + patience_s
            while time.monotonic() < deadline:
                process.poll()  # otherwise a dead leader still counts as a member
                os.killpg(process.pid, 0)
                time.sleep(0.05)
        except ProcessLookupError:
            return
        except KeyboardInterrupt:
            continue  # a second Ctrl-C: no more patience, on to the stronger signal


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Let `kill` end this process as Ctrl-C does, which first stops what it started."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
