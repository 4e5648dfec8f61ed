"""One ffmpeg process under limits: the static binary of the wheel, driven through ffmpeg-python.

A video is untrusted input, so ffmpeg may open nothing but the file itself
(`reelflow.video.open_safely`), reads allowed formats alone (`reelflow.video.allowed_formats`) and
runs under limits of CPU time, memory and output (`reelflow.video.process_limits`).
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial, wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import ffmpeg
import imageio_ffmpeg

from reelflow.base.errors import VideoError
from reelflow.video.allowed_formats import NAME, confined
from reelflow.video.open_safely import opened
from reelflow.video.process_limits import Bounds, refuse_broken_limit, start, watch
from reelflow.video.process_output import Complaints, Drain

# One thread to filter: with one a core, ffmpeg's default, memory would depend on the machine.
_QUIET = ("-nostdin", "-filter_threads", "1", "-filter_complex_threads", "1", "-v")

Asked = ParamSpec("Asked")
Result = TypeVar("Result")


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


def run_ffmpeg(
    outputs: Sequence[Any], path: Path, bounds: Bounds, *arguments: str, **how: Any
) -> Finished:
    """Let one ffmpeg process write these outputs.

    Args:
        outputs: of ffmpeg-python.
        path: as of `run`.
        bounds: as of `run`.
        *arguments: the level of what it logs, then further global arguments.
        **how: as of `run`.
    """
    command = ffmpeg.merge_outputs(*outputs).global_args(*_QUIET, *arguments)
    return run(command.compile(cmd=ffmpeg_exe()), path, bounds, **how)


@contextmanager
def source(path: Path, **options: Any) -> Iterator[tuple[Any, int]]:
    """Open a video safely; yield it as an input of ffmpeg-python, which reads nothing else, and its
    descriptor, which ffmpeg must get. Raises `VideoError` as `opened`; `options` are of the input.
    """
    with opened(path) as descriptor:
        # Pictures only, times as they are in the file, one thread: bounded memory, the same bytes.
        usual = {**dict.fromkeys(("an", "sn", "dn", "copyts")), "threads": 1}
        yield ffmpeg.input(NAME, **{**confined(descriptor), **usual, **options}), descriptor


def header_lines(path: Path, bounds: Bounds, level: str, pattern: str) -> str:
    """The lines that ffmpeg logs at `level` when it opens a file, as far as `pattern` matches.
    Raises `VideoError` as `opened` and `run`."""
    with source(path) as (video, descriptor):
        # Without an output it reports what it sees, and ends.
        command = video.output("none").compile(cmd=ffmpeg_exe())[:-1]
        command += [*_QUIET, level, "-hide_banner"]
        heard = pattern.encode()
        return run(command, path, bounds, pass_fds=(descriptor,), listen_for=heard).stderr


def run(
    command: list[str],
    path: Path,
    bounds: Bounds,
    *,
    stdout_limit: int = 0,
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
        listen_for: regular expression; only lines of stderr that match it are kept.
        frames: how many it is known to decode; each line of its output is another one.

    Raises:
        VideoError: `timeout`, `memory`, `output`, `crash`, or `killed` (from outside: it may work
            a second time, see `again_if_killed`).
    """
    size = sum(os.fstat(descriptor).st_size for descriptor in pass_fds)
    process = start(
        command,
        bounds.memory_mb,
        (bounds.cpu_seconds(size, frames), bounds.cpu_seconds(size)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    # Not `process.kill`: it asks how the process is, and so may take its end from `watch`.
    kill = partial(os.kill, process.pid, signal.SIGKILL)
    out = Drain(process.stdout, stdout_limit, kill)
    err = Complaints(process.stderr, listen_for)
    try:
        cpu_seconds = watch(process, out, path, bounds, size, frames)
    finally:
        process.kill()
        process.wait()
        out.join()
        err.join()
    if out.overflow:
        reason = "It holds more frames than a video may have here."
        raise VideoError(str(path), "output", reason, "Cut the video into parts.")
    stderr = err.kept.decode("utf-8", "replace")
    refuse_broken_limit(process.returncode, stderr, cpu_seconds, size, path, bounds)
    return Finished(bytes(out.kept), stderr, process.returncode)


def again_if_killed(work: Callable[Asked, Result]) -> Callable[Asked, Result]:
    """`work`, done once more if its process was killed from outside: that is no fault of the
    video."""

    @wraps(work)
    def twice(*args: Asked.args, **kwargs: Asked.kwargs) -> Result:
        try:
            return work(*args, **kwargs)
        except VideoError as error:
            if error.code != "killed":
                raise
            return work(*args, **kwargs)

    return twice
