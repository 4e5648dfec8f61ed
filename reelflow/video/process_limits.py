"""The limits of a process that decodes: memory, CPU time, standing still, no file written.

`ulimit` sets them in a shell that becomes the program: a `preexec_fn` would be a millisecond
quicker but can deadlock in a process that has threads, as every process with TensorFlow has. CPU
time grows with what the file holds, so hours of video pass. Wall-clock time counts only while the
process neither prints nor works, because a busy machine takes it from every process.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelflow.base.errors import VideoError
from reelflow.video.process_output import Drain

_OUT_OF_MEMORY = ("Cannot allocate memory", "Resource temporarily unavailable", "pthread_create")
# One heap: with one a thread, each takes 64 MiB of address space, now and then.
_ENVIRONMENT = {"LC_ALL": "C", "MALLOC_ARENA_MAX": "1"}
# No core dump, no file written; at most that much memory and CPU time, that many open files. Of CPU
# time the first limit may be raised, up to the second.
_LIMITED = (
    'ulimit -c 0 && ulimit -f 0 && ulimit -n 256 && ulimit -v "$0" && ulimit -S -t "$1" && '
    'ulimit -H -t "$2" && shift 2 && exec "$@"'
)
# Seconds of CPU that a mebibyte and a frame may take: five to ten times what 4K in HEVC takes.
_SECONDS_A_MB = 2.0
_SECONDS_A_FRAME = 0.05
# More frames than any video may have here (`allowed_formats.MOST_PRINTED`).
_MOST_FRAMES = 1 << 23
# How ffmpeg, and any other program, ends at its first limit of CPU time, and all at the second.
_STOPPED_BY_LIMIT = (255, 123, -signal.SIGXCPU, -signal.SIGKILL)
_LOOK_EVERY = 0.5  # seconds
# Of the time in which a process stands still; less CPU than this share of it is nothing.
_AT_WORK = 0.01


@dataclass(frozen=True)
class Bounds:
    """What one decoding process may take.

    Attributes:
        timeout_s: seconds of CPU beside what the bytes and frames of the file account for, and of
            wall-clock in which nothing happens.
        memory_mb: MiB of address space.
        file_gb: GiB that a file may have; 0 for any size. Its bytes are hashed first of all.
    """

    timeout_s: float = 120.0
    memory_mb: int = 1024
    file_gb: float = 0.0

    @property
    def most_bytes(self) -> int:
        """`file_gb` in bytes."""
        return int(self.file_gb * 2**30)

    def cpu_seconds(self, size: int, frames: int = _MOST_FRAMES) -> int:
        """CPU time that a process may take for so many bytes and frames."""
        earned = size / 2**20 * _SECONDS_A_MB + frames * _SECONDS_A_FRAME
        return int(self.timeout_s + earned) + 1


def start(
    command: list[str], memory_mb: int, cpu_seconds: tuple[int, int] | None = None, **how: Any
) -> subprocess.Popen[bytes]:
    """Start a program that can write to no file; `how` as of `Popen`.

    Args:
        command: program and arguments.
        memory_mb: MiB of address space that it may have.
        cpu_seconds: of CPU time, and how far that may be raised; a program that stays has to set
            this itself.
    """
    limits = [str(limit) for limit in cpu_seconds or ("unlimited", "unlimited")]
    return subprocess.Popen(
        ["/bin/sh", "-c", _LIMITED, str(memory_mb * 1024), *limits, *command],
        env={"PATH": os.environ.get("PATH", ""), **_ENVIRONMENT},
        **how,
    )


def watch(
    process: subprocess.Popen[bytes], out: Drain, path: Path, bounds: Bounds, size: int, frames: int
) -> float:
    """Wait for the end of a process and raise its limit of CPU time with each line that it prints.

    Args:
        process: as `start` started it.
        out: reads its output; each line is one more frame.
        path: the video, named in errors.
        bounds: its limits.
        size: bytes of the video.
        frames: how many frames it is known to decode.

    Returns:
        seconds of CPU that it took.

    Raises:
        VideoError: `timeout`, if it did nothing for `bounds.timeout_s`.
    """
    most = bounds.cpu_seconds(size)
    ending, idle, done = os.pidfd_open(process.pid), 0.0, (0, 0.0)
    step = min(_LOOK_EVERY, bounds.timeout_s)
    try:
        # Wait for its end, not for some milliseconds, in which a short video is decoded.
        while not select.select([ending], [], [], step)[0]:
            lines, seconds = out.lines, _seconds_of(process.pid)
            allowed = min(bounds.cpu_seconds(size, frames + lines), most)
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (allowed, most))
            if lines > done[0] or seconds - done[1] > _AT_WORK * bounds.timeout_s:
                idle, done = 0.0, (lines, seconds)
            elif idle < bounds.timeout_s:
                # Not by the clock: a process may be stopped, or wait for a core.
                idle += step
            else:
                reason = f"Its decoder stood still for {bounds.timeout_s:g} s and was ended."
                remedy = "See whether its disk answers; else encode the video again."
                raise VideoError(str(path), "timeout", reason, remedy)
    finally:
        os.close(ending)
    out.join()  # while nobody has waited for the process, its number is its own
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def refuse_broken_limit(
    returncode: int, stderr: str, cpu_seconds: float, size: int, path: Path, bounds: Bounds
) -> None:
    """Raise `VideoError` for a broken limit or a death: `timeout`, `memory`, `killed`, `crash`.

    Args:
        returncode: its exit status.
        stderr: what it complained of.
        cpu_seconds: as `watch` returned.
        size: bytes of the video.
        path: the video.
        bounds: its limits.
    """
    killed = returncode == -signal.SIGKILL
    least = bounds.cpu_seconds(size) - 1 if killed else bounds.timeout_s
    if returncode in _STOPPED_BY_LIMIT and cpu_seconds >= least:
        code = "timeout"
        reason = f"Decoding took {cpu_seconds:.0f} s of CPU, more than its bytes and frames may."
        remedy = "Raise the setting timeout_s, or encode the video again."
    elif any(sign in stderr for sign in _OUT_OF_MEMORY):
        code, reason = "memory", f"Decoding it takes more than {bounds.memory_mb} MiB of memory."
        remedy = "Raise the setting memory_mb, or scale the video down."
    elif killed:
        code, reason = "killed", "The decoder was killed from outside, perhaps for lack of memory."
        remedy = "Run it again, with fewer workers if memory is short."
    elif returncode < 0:
        code, reason = "crash", f"The decoder died on it ({signal.Signals(-returncode).name})."
        remedy = "Encode the video again with another program."
    else:
        return
    raise VideoError(str(path), code, reason, remedy)


def _seconds_of(pid: int) -> float:
    """CPU time that a process has taken so far, all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
