"""One bounded ffmpeg process: the static binary of the wheel, driven through ffmpeg-python.

A video is untrusted input, so ffmpeg may open nothing but the file itself, and runs under limits
of wall-clock, CPU time, memory and output. The limits are set by `ulimit` in a shell that becomes
ffmpeg: a `preexec_fn` would be quicker by a millisecond but can deadlock in a process that has
threads, as every process with TensorFlow has.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

import imageio_ffmpeg

from reelflow.errors import VideoError

# Of what a decoder has to say, the first lines tell; a damaged file can say the same for hours.
STDERR_LIMIT = 16 * 1024
_OUT_OF_MEMORY = ("Cannot allocate memory", "pthread_create() failed")
_LIMITED = 'ulimit -c 0 && ulimit -v "$0" && ulimit -t "$1" && shift && exec "$@"'


@dataclass(frozen=True)
class Bounds:
    """What one ffmpeg process may take.

    Attributes:
        timeout_s: seconds of wall-clock, and of CPU.
        memory_mb: MiB of address space.
    """

    timeout_s: float = 120.0
    memory_mb: int = 1024


@dataclass(frozen=True)
class Finished:
    """What an ffmpeg process left behind: its output (bytes), its complaints, its exit status."""

    stdout: bytes
    stderr: str
    returncode: int


@cache
def ffmpeg_exe() -> str:
    """Path of the ffmpeg binary: the wheel's, or `IMAGEIO_FFMPEG_EXE` where the user set it."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def input_options(bounds: Bounds) -> dict[str, Any]:
    """Options of an input: only the file itself, one thread (bounded memory, the same bytes)."""
    return {"protocol_whitelist": "file", "threads": 1, "copyts": None}


def source(path: Path) -> str:
    """The file's name as ffmpeg takes it: `file:` keeps `-x.mp4` and `a:b.mp4` from being read
    as an option and a protocol."""
    return f"file:{path}"


def run(
    command: list[str],
    path: Path,
    bounds: Bounds,
    *,
    stdout_limit: int,
    pass_fds: tuple[int, ...] = (),
) -> Finished:
    """Run ffmpeg on `path` under `bounds`.

    Args:
        command: program and arguments, as ffmpeg-python compiles them.
        path: the video, named in errors.
        bounds: wall-clock, CPU and memory.
        stdout_limit: bytes of output after which the process is ended.
        pass_fds: open file descriptors that ffmpeg may write to.

    Raises:
        VideoError: `timeout`, `memory`, `output` or `crash`.
    """
    limits = [str(bounds.memory_mb * 1024), str(int(bounds.timeout_s) + 1)]
    process = subprocess.Popen(
        ["/bin/sh", "-c", _LIMITED, *limits, *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = _Drain(process.stdout, stdout_limit), _Drain(process.stderr, STDERR_LIMIT)
    try:
        # Waiting for the pipe's end, not for the process: `Popen.wait` with a timeout sleeps up to
        # 50 ms at a time, more than most short videos take.
        out.join(bounds.timeout_s)
        if out.is_alive():
            raise VideoError(
                str(path),
                "timeout",
                f"Decoding took more than {bounds.timeout_s:g} s and was ended.",
                "Raise timeout_s in params.yaml, or shorten the video.",
            )
        returncode = process.wait()
    finally:
        process.kill()
        process.wait()
        out.join()
        err.join()
    finished = Finished(bytes(out.kept), err.kept.decode("utf-8", "replace"), returncode)
    _refuse_broken_bounds(finished, path, bounds, overflow=out.overflow)
    return finished


def _refuse_broken_bounds(
    finished: Finished, path: Path, bounds: Bounds, *, overflow: bool
) -> None:
    if overflow:
        raise VideoError(
            str(path),
            "output",
            "It holds more frames than a video may have here.",
            "Cut the video into parts.",
        )
    if any(sign in finished.stderr for sign in _OUT_OF_MEMORY):
        raise VideoError(
            str(path),
            "memory",
            f"Decoding it takes more than {bounds.memory_mb} MiB of memory.",
            "Raise memory_mb in params.yaml, or scale the video down.",
        )
    if finished.returncode < 0:
        name = signal.Signals(-finished.returncode).name
        raise VideoError(
            str(path),
            "crash",
            f"The decoder died on it ({name}).",
            "Encode the video again with another program.",
        )


class _Drain(threading.Thread):
    """Reads a pipe to its end and keeps the first `limit` bytes, so that no pipe ever blocks."""

    def __init__(self, pipe: IO[bytes], limit: int) -> None:
        super().__init__(daemon=True)
        self.kept = bytearray()
        self.overflow = False
        self._pipe = pipe
        self._limit = limit
        self.start()

    def run(self) -> None:
        with self._pipe:
            while block := os.read(self._pipe.fileno(), 1 << 20):
                room = self._limit - len(self.kept)
                self.kept += block[:room]
                self.overflow |= len(block) > room
