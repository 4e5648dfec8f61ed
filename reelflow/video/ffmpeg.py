"""One bounded ffmpeg process: the static binary of the wheel, driven through ffmpeg-python.

A video is untrusted input, so ffmpeg may open nothing but the file itself
(`reelflow.video.sandbox`) and runs under limits of CPU time, memory and output; it can write to no
file. The limits are set by `ulimit` in a shell that becomes ffmpeg: a `preexec_fn` would be quicker
by a millisecond but can deadlock in a process that has threads, as every process with TensorFlow
has. CPU time grows with what the file holds, so that hours of video pass; of wall-clock, which a
busy machine takes from anybody, only that is bounded in which nothing happens.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cache, partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import imageio_ffmpeg

from reelflow.base.errors import VideoError
from reelflow.video.pipe import Complaints, Drain

_OUT_OF_MEMORY = ("Cannot allocate memory", "Resource temporarily unavailable", "pthread_create")
# One thread to filter: with one a core, ffmpeg's default, memory would hang on the machine.
QUIET = ("-nostdin", "-filter_threads", "1", "-filter_complex_threads", "1", "-v")
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
# More frames than any video may have here (`sandbox.MOST_PRINTED`).
_MOST_FRAMES = 1 << 23
# How ffmpeg, and any other program, ends at its first limit of CPU time, and all at the second.
_STOPPED_BY_LIMIT = (255, 123, -signal.SIGXCPU, -signal.SIGKILL)
_LOOK_EVERY = 0.5  # seconds
# Of the time in which a process stands still; less CPU than this share of it is nothing.
_AT_WORK = 0.01

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Bounds:
    """What one ffmpeg process may take.

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

    def cpu_seconds(self, size: int, frames: int) -> int:
        """CPU time that a process may take for so many bytes and frames."""
        earned = size / 2**20 * _SECONDS_A_MB + frames * _SECONDS_A_FRAME
        return int(self.timeout_s + earned) + 1


@dataclass(frozen=True)
class Finished:
    """What an ffmpeg process left behind.

    Attributes:
        stdout: its output.
        stderr: its complaints, but for those of decoders that are not allowed.
        returncode: its exit status.
    """

    stdout: bytes
    stderr: str
    returncode: int


@cache
def ffmpeg_exe() -> str:
    """Path of the ffmpeg binary: the wheel's, or `IMAGEIO_FFMPEG_EXE` where the user set it."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run(
    command: list[str],
    path: Path,
    bounds: Bounds,
    *,
    stdout_limit: int,
    pass_fds: tuple[int, ...] = (),
    listen_for: bytes = b"",
    frames: int = 0,
) -> Finished:
    """Run ffmpeg on `path` under `bounds`.

    Args:
        command: program and arguments, as ffmpeg-python compiles them.
        path: the video, named in errors.
        bounds: CPU, memory, and time in which nothing happens.
        stdout_limit: bytes of output after which the process is ended.
        pass_fds: open file descriptors that ffmpeg gets: the video, and pipes to write to.
        listen_for: regular expression; of what ffmpeg says, only the lines that it finds are kept.
        frames: how many it is known to decode; each line of its output is another one.

    Raises:
        VideoError: `timeout`, `memory`, `output`, `crash`, or `killed` (from outside: it may work
            a second time, see `again_if_killed`).
    """
    size = sum(os.fstat(descriptor).st_size for descriptor in pass_fds)
    most = bounds.cpu_seconds(size, _MOST_FRAMES)
    process = start(
        command,
        bounds.memory_mb,
        (bounds.cpu_seconds(size, frames), most),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    # Not `process.kill`: it asks how the process is, and so may take its end from `_wait`.
    kill = partial(os.kill, process.pid, signal.SIGKILL)
    out = Drain(process.stdout, stdout_limit, kill)
    err = Complaints(process.stderr, listen_for)
    try:
        for lines in _while_it_works(process.pid, out, path, bounds):
            allowed = min(bounds.cpu_seconds(size, frames + lines), most)
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (allowed, most))
        out.join()  # while nobody has waited for the process, its number is its own
        cpu_seconds = _wait(process)
    finally:
        process.kill()
        process.wait()
        out.join()
        err.join()
    if out.overflow:
        raise VideoError(
            str(path),
            "output",
            "It holds more frames than a video may have here.",
            "Cut the video into parts.",
        )
    least = most - 1 if process.returncode == -signal.SIGKILL else bounds.timeout_s
    if process.returncode in _STOPPED_BY_LIMIT and cpu_seconds >= least:
        raise VideoError(
            str(path),
            "timeout",
            f"Decoding took {cpu_seconds:.0f} s of CPU, more than so many bytes and frames may.",
            "Raise timeout_s in params.yaml, or encode the video again.",
        )
    finished = Finished(bytes(out.kept), err.kept.decode("utf-8", "replace"), process.returncode)
    _refuse_broken_bounds(finished, path, bounds)
    return finished


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


def again_if_killed(work: Callable[Asked, Result]) -> Callable[Asked, Result]:
    """`work`, which is done once more if its process was killed from outside: that is no fault of
    the video."""

    @wraps(work)
    def twice(*args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        try:
            return work(*args, **kwargs)
        except VideoError as error:
            if error.code != "killed":
                raise
            return work(*args, **kwargs)

    return twice


def _while_it_works(pid: int, out: Drain, path: Path, bounds: Bounds) -> Generator[int, None, None]:
    """Yield, now and then until the process ends, how many lines it has printed.

    Raises:
        VideoError: `timeout`, if for `bounds.timeout_s` it neither printed nor worked.
    """
    ending, idle, done = os.pidfd_open(pid), 0.0, (0, 0.0)
    step = min(_LOOK_EVERY, bounds.timeout_s)
    try:
        # Its end, not a sleep of so many milliseconds, in which a short video is decoded.
        while not select.select([ending], [], [], step)[0]:
            yield out.lines
            seconds = _seconds_of(pid)
            if out.lines > done[0] or seconds - done[1] > _AT_WORK * bounds.timeout_s:
                idle, done = 0.0, (out.lines, seconds)
            elif idle < bounds.timeout_s:
                # Not by the clock: whoever was stopped, or waits for a processor, is not to blame.
                idle += step
            else:
                raise VideoError(
                    str(path),
                    "timeout",
                    f"Its decoder stood still for {bounds.timeout_s:g} s and was ended.",
                    "See whether its disk answers; else encode the video again.",
                )
    finally:
        os.close(ending)


def _seconds_of(pid: int) -> float:
    """CPU time that a process has taken so far, all of its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end of a process; return the seconds of CPU that it took."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _refuse_broken_bounds(finished: Finished, path: Path, bounds: Bounds) -> None:
    if any(sign in finished.stderr for sign in _OUT_OF_MEMORY):
        raise VideoError(
            str(path),
            "memory",
            f"Decoding it takes more than {bounds.memory_mb} MiB of memory.",
            "Raise memory_mb in params.yaml, or scale the video down.",
        )
    if finished.returncode == -signal.SIGKILL:
        raise VideoError(
            str(path),
            "killed",
            "The decoder was killed from outside, perhaps because the machine had no memory left.",
            "Run it again, with fewer workers if memory is short.",
        )
    if finished.returncode < 0:
        name = signal.Signals(-finished.returncode).name
        raise VideoError(
            str(path),
            "crash",
            f"The decoder died on it ({name}).",
            "Encode the video again with another program.",
        )
