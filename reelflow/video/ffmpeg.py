"""One bounded ffmpeg process: the static binary of the wheel, driven through ffmpeg-python.

A video is untrusted input, so ffmpeg may open nothing but the file itself (`reelflow.video.source`)
and runs under limits of wall-clock, CPU time, memory and output; it can write to no file. The
limits are set by `ulimit` in a shell that becomes ffmpeg: a `preexec_fn` would be quicker by a
millisecond but can deadlock in a process that has threads, as every process with TensorFlow has.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial, wraps
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

import imageio_ffmpeg

from reelflow.errors import VideoError

# Of what a decoder has to say, the first lines tell; a damaged file can say the same for hours.
STDERR_LIMIT = 16 * 1024
_OUT_OF_MEMORY = ("Cannot allocate memory", "Resource temporarily unavailable", "pthread_create")
# One thread to filter: with one a core, ffmpeg's default, memory would hang on the machine.
QUIET = ("-nostdin", "-filter_threads", "1", "-filter_complex_threads", "1", "-v")
# One heap: with one a thread, each takes 64 MiB of address space, now and then.
_ENVIRONMENT = {"LC_ALL": "C", "MALLOC_ARENA_MAX": "1"}
# No core dump, no file written; at most that much memory and CPU time, that many open files.
_LIMITED = (
    'ulimit -c 0 && ulimit -f 0 && ulimit -n 256 && ulimit -v "$0" && ulimit -t "$1" && shift && '
    'exec "$@"'
)
# Sound and subtitles are not decoded; each of their packets may be complained of.
_REFUSED_DECODER = re.compile(rb"Codec \(([^)]*)\) not on whitelist")
_MOST_REFUSED_DECODERS = 16

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Bounds:
    """What one ffmpeg process may take.

    Attributes:
        timeout_s: seconds of wall-clock, and of CPU.
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


@dataclass(frozen=True)
class Finished:
    """What an ffmpeg process left behind.

    Attributes:
        stdout: its output.
        stderr: its complaints, but for those of `refused_decoders`.
        returncode: its exit status.
        refused_decoders: decoders that were asked for and are not allowed.
    """

    stdout: bytes
    stderr: str
    returncode: int
    refused_decoders: tuple[str, ...] = field(default=())


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
) -> Finished:
    """Run ffmpeg on `path` under `bounds`.

    Args:
        command: program and arguments, as ffmpeg-python compiles them.
        path: the video, named in errors.
        bounds: wall-clock, CPU and memory.
        stdout_limit: bytes of output after which the process is ended.
        pass_fds: open file descriptors that ffmpeg gets: the video, and pipes to write to.
        listen_for: regular expression; of what ffmpeg says, only the lines that it finds are kept.

    Raises:
        VideoError: `timeout`, `memory`, `output`, `crash`, or `killed` (from outside: it may work
            a second time, see `again_if_killed`).
    """
    process = start(
        command,
        bounds.memory_mb,
        str(_cpu_seconds(bounds)),
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
    err = _Complaints(process.stderr, listen_for)
    try:
        # Waiting for the pipe's end, not for the process: `Popen.wait` with a timeout sleeps up to
        # 50 ms at a time, more than most short videos take.
        out.join(bounds.timeout_s)
        if out.is_alive():
            raise _timeout(path, bounds)
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
    if process.returncode == -signal.SIGKILL and cpu_seconds >= _cpu_seconds(bounds) - 1:
        raise _timeout(path, bounds)
    finished = Finished(
        bytes(out.kept),
        err.kept.decode("utf-8", "replace"),
        process.returncode,
        tuple(sorted(name.decode("utf-8", "replace") for name in err.refused)),
    )
    _refuse_broken_bounds(finished, path, bounds)
    return finished


def start(
    command: list[str], memory_mb: int, cpu_seconds: str = "unlimited", **how: Any
) -> subprocess.Popen[bytes]:
    """Start a program that can write to no file; `how` as of `Popen`.

    Args:
        command: program and arguments.
        memory_mb: MiB of address space that it may have.
        cpu_seconds: of CPU time; a program that stays has to set this itself.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", _LIMITED, str(memory_mb * 1024), cpu_seconds, *command],
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


def _cpu_seconds(bounds: Bounds) -> int:
    return int(bounds.timeout_s) + 1


def _timeout(path: Path, bounds: Bounds) -> VideoError:
    return VideoError(
        str(path),
        "timeout",
        f"Decoding took more than {bounds.timeout_s:g} s and was ended.",
        "Raise timeout_s in params.yaml, or shorten the video.",
    )


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


class Drain(threading.Thread):
    """Reads a pipe to its end and keeps the first `limit` bytes, so that no pipe ever blocks.

    Attributes:
        kept: what was read.
        overflow: whether there was more than `limit`; then `stop` was called.
    """

    def __init__(self, pipe: IO[bytes], limit: int, stop: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.kept = bytearray()
        self.overflow = False
        self._pipe = pipe
        self._limit = limit
        self._stop_writer = stop
        self.start()

    def run(self) -> None:
        with self._pipe:
            while block := os.read(self._pipe.fileno(), 1 << 20):
                room = self._limit - len(self.kept)
                self.kept += block[:room]
                if len(block) > room:
                    self.overflow = True
                    self._stop_writer()


class _Complaints(threading.Thread):
    """Reads what a process has to say, and keeps the first lines of it.

    Attributes:
        kept: lines, the first `STDERR_LIMIT` bytes of them.
        refused: decoders that are not allowed; those lines are not kept, for a long film has enough
            of them to hide that a picture is damaged.
    """

    def __init__(self, pipe: IO[bytes], listen_for: bytes) -> None:
        super().__init__(daemon=True)
        self.kept = bytearray()
        self.refused: set[bytes] = set()
        self._wanted = re.compile(listen_for)
        self._pipe = pipe
        self.start()

    def run(self) -> None:
        with self._pipe:
            while line := self._pipe.readline(STDERR_LIMIT):
                refused = _REFUSED_DECODER.search(line)
                if not refused:
                    wanted = line if self._wanted.search(line) else b""
                    self.kept += wanted[: STDERR_LIMIT - len(self.kept)]
                elif len(self.refused) < _MOST_REFUSED_DECODERS:
                    self.refused.add(refused[1])
