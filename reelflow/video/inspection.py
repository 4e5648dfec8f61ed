"""What can be said of any path that somebody takes for a video: what it is, and what to do.

The verdict is that of the stage `ingest`, since it comes from the same `check_video`.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from reelflow.base.errors import VideoError
from reelflow.video.allowed_formats import NAME, input_options
from reelflow.video.check import DamagedVideoError, VideoInfo, check_video
from reelflow.video.damage_policy import SET_ASIDE, Policy
from reelflow.video.ffmpeg import QUIET, ffmpeg_exe, run
from reelflow.video.open_safely import opened, refuse_name
from reelflow.video.process_limits import Bounds

_CONTAINER = r"^\[info\] Input #0, (\S+), from"
_DURATION = r"^\[info\]   Duration: (\d+):(\d\d):(\d\d\.\d+)"
_COMMAND = re.compile("`(.+)`")


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        path: as it was given.
        info: what decoding it told; None if not a frame came out.
        refusal: why it would be set aside; None if it is usable.
        container: ffmpeg's name of the demuxer; empty if it was not opened.
        header_duration: seconds that the header promises; None if it does not.
    """

    path: str
    info: VideoInfo | None
    refusal: VideoError | None
    container: str
    header_duration: float | None

    @property
    def usable(self) -> bool:
        """Whether `ingest` would use it."""
        return self.refusal is None

    @property
    def remedy(self) -> str:
        """What to do about it, its command ready to be run on this machine; empty if usable."""
        if not self.refusal:
            return ""
        told = _COMMAND.search(self.refusal.remedy)
        return self.refusal.remedy.replace(told[1], self.repair) if told else self.refusal.remedy

    @property
    def repair(self) -> str:
        """A command line that makes a usable file of it, where one is known; else empty."""
        told = _COMMAND.search(self.refusal.remedy) if self.refusal else None
        return _runnable(told[1], self.path) if told else ""

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON. What is not known is None."""
        info, refusal = self.info, self.refusal
        unit = Fraction(info.time_base) if info else Fraction(1)
        return {
            "path": self.path,
            "usable": self.usable,
            "code": refusal.code if refusal else None,
            "reason": refusal.reason if refusal else None,
            "remedy": self.remedy or None,
            "repair": self.repair or None,
            "container": self.container or None,
            "codec": info.codec if info else None,
            "pixel_format": info.pixel_format if info else None,
            "transfer": info.transfer if info else None,
            "width": info.width if info else None,
            "height": info.height if info else None,
            "rotation": info.rotation if info else None,
            "fps": info.fps if info else None,
            "header_duration": self.header_duration,
            "duration": info.duration if info else None,
            "frames": info.frames if info else None,
            "intact": info.intact if info else None,
            "first": float(info.pts[0] * unit) if info else None,
            "last": float(info.pts[-1] * unit) if info else None,
            "bytes": info.bytes if info else None,
            "hash": info.hash if info else None,
        }


def inspect(path: str, bounds: Bounds, policy: Policy = SET_ASIDE) -> Inspection:
    """Look at any path: a video, another file, a folder, a device, nothing at all.

    Args:
        path: of anything; only a regular file is opened.
        bounds: limits of each of the two to four processes that are asked.
        policy: which videos are used though they are damaged.
    """
    info: VideoInfo | None = None
    refusal: VideoError | None = None
    try:
        info = check_video(Path(path), bounds)
    except VideoError as error:
        info = error.info if isinstance(error, DamagedVideoError) else None
        refusal = error if isinstance(policy.verdict(error), VideoError) else None
    try:
        refuse_name(path)
    except VideoError as error:
        refusal = error
    return Inspection(path, info, refusal, *_header(Path(path), bounds))


def _header(path: Path, bounds: Bounds) -> tuple[str, float | None]:
    """Container and duration, from the header alone."""
    try:
        with opened(path) as descriptor:
            # Without an output ffmpeg tells what it sees, and ends.
            asked = ffmpeg.input(NAME, **input_options(descriptor)).output("none")
            command = [*asked.compile(cmd=ffmpeg_exe())[:-1], *QUIET, "level+info", "-hide_banner"]
            heard = f"{_CONTAINER}|{_DURATION}".encode()
            said = run(
                command, path, bounds, stdout_limit=0, pass_fds=(descriptor,), listen_for=heard
            ).stderr
    except VideoError:
        return "", None
    container = re.search(_CONTAINER, said, re.MULTILINE)
    duration = re.search(_DURATION, said, re.MULTILINE)
    seconds = None
    if duration:
        hours, minutes, rest = duration.groups()
        seconds = int(hours) * 3600 + int(minutes) * 60 + float(rest)
    return container[1] if container else "", seconds


def _runnable(command: str, path: str) -> str:
    """The command of a remedy, which stands for any file, for this one."""
    program, _, arguments = command.partition(" ")
    source, target = path, str(Path(path).with_name(f"{Path(path).stem}-repaired.mkv"))
    if program == "ffmpeg":
        # Else a name that begins with a dash would be an option, and `a:b` a protocol.
        source, target = f"file:{source}", f"file:{target}"
        program = "ffmpeg" if shutil.which("ffmpeg") else shlex.quote(ffmpeg_exe())
    known = {"IN": shlex.quote(source), "OUT.mkv": shlex.quote(target)}
    return " ".join([program, *(known.get(word, word) for word in arguments.split(" "))])
