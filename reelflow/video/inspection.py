"""Inspecting any path: what it is, whether it is a usable video, and what to do if not.

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

from reelflow.base.errors import VideoError
from reelflow.video.check_by_decoding import DamagedVideoError, VideoInfo, check_video
from reelflow.video.damage_policy import SET_ASIDE, Policy
from reelflow.video.ffmpeg import ffmpeg_exe, header_lines
from reelflow.video.open_safely import refuse_name
from reelflow.video.process_limits import Bounds

_CONTAINER = r"^\[info\] Input #0, (\S+), from"
_DURATION = r"^\[info\]   Duration: (\d+):(\d\d):(\d\d\.\d+)"
_COMMAND = re.compile("`(.+)`")
_PICTURE = ("codec", "pixel_format", "transfer", "width", "height", "rotation", "fps")


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        path: as it was given.
        info: what `check_video` found; None if no frame came out.
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
        remedy = self.refusal.remedy if self.refusal else ""
        return _COMMAND.sub(lambda _: f"`{self.repair}`", remedy, count=1)

    @property
    def repair(self) -> str:
        """A command line that makes a usable file of it, where one is known; else empty."""
        command = _COMMAND.search(self.refusal.remedy) if self.refusal else None
        return _runnable(command[1], self.path) if command else ""

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON. What is not known is None."""
        info, refusal = self.info, self.refusal
        unit = Fraction(info.time_base) if info else Fraction(1)
        return {
            "path": self.path,
            "usable": self.usable,
            "code": getattr(refusal, "code", None),
            "reason": getattr(refusal, "reason", None),
            "remedy": self.remedy or None,
            "repair": self.repair or None,
            "container": self.container or None,
            **{name: getattr(info, name, None) for name in _PICTURE},
            "header_duration": self.header_duration,
            **{name: getattr(info, name, None) for name in ("duration", "frames", "intact")},
            "first": float(info.pts[0] * unit) if info else None,
            "last": float(info.pts[-1] * unit) if info else None,
            **{name: getattr(info, name, None) for name in ("bytes", "hash")},
        }


def inspect(path: str, bounds: Bounds, policy: Policy = SET_ASIDE) -> Inspection:
    """Look at any path: a video, another file, a folder, a device, nothing at all.

    Args:
        path: of anything; only a regular file is opened.
        bounds: limits of each of the two to four processes that read it.
        policy: which damaged videos are used.
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
        lines = header_lines(path, bounds, "level+info", f"{_CONTAINER}|{_DURATION}")
    except VideoError:
        return "", None
    container = re.search(_CONTAINER, lines, re.MULTILINE)
    duration = re.search(_DURATION, lines, re.MULTILINE)
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
