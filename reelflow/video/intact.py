"""How many frames of a damaged video come out before its decoder first complains.

ffmpeg reads, decodes and writes in threads, so that what it says cannot be told to belong to this
frame or that. Here PyAV takes one packet after the other, in one thread, and stops at the first
word of complaint: what came out before is whole, but for the last packet, since damage may begin
before a reader notices. This file runs as a program of its own, within the bounds of any decoder,
for damaged videos alone: starting it takes some 0.2 s.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelflow.video.ffmpeg import Bounds


@dataclass(frozen=True)
class Intact:
    """Attributes:
    pts: times of the frames that are whole, in units of the stream, in the order shown.
    promised: frames that the header says there are; 0 if it does not say.
    span: how long it says that they last, in units of the stream; 0 if it does not say.
    """

    pts: tuple[int, ...] = ()
    promised: int = 0
    span: int = 0


def find_intact(path: Path, stream: int, bounds: Bounds) -> Intact:
    """What of a damaged video is whole, as far as is certain: nothing, if this breaks a bound."""
    from reelflow.errors import VideoError
    from reelflow.video.ffmpeg import again_if_killed, run
    from reelflow.video.source import MOST_PRINTED, confined, opened

    def ask() -> bytes:
        with opened(path) as descriptor:
            asked = json.dumps({name: str(value) for name, value in confined(descriptor).items()})
            command = [sys.executable, "-I", "-B", __file__, asked, str(stream)]
            return run(
                command, path, bounds, stdout_limit=MOST_PRINTED, pass_fds=(descriptor,)
            ).stdout

    try:
        promised, span, *pts = (int(line) for line in again_if_killed(ask)().split())
    except (VideoError, ValueError):
        return Intact()
    return Intact(tuple(pts), promised, span)


def _main(options: dict[str, str], index: int) -> None:
    """Print what the header promises, then the time of each whole frame."""
    import av

    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    with av.open("fd:", options=options) as container:
        stream = container.streams[index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        print(*_promised(container, stream))
        said_before = av.logging.get_last_error()[0]
        certain: list[int | None] = []
        for packet in container.demux(stream):
            frames = packet.decode()
            corrupt = packet.is_corrupt or any(frame.is_corrupt for frame in frames)
            if corrupt or av.logging.get_last_error()[0] != said_before:
                return
            for pts in certain:
                print(pts)
            certain = [frame.pts for frame in frames]


def _promised(container: Any, stream: Any) -> tuple[int, int]:
    """Frames and their span. Matroska and FLV give seconds alone, an AVI cut short frames alone."""
    seconds, rate = (container.duration or 0) / 1_000_000, float(stream.average_rate or 0)
    frames = stream.frames or round(seconds * rate)
    seconds = max(seconds, frames / rate if rate else 0.0)
    return frames, max(stream.duration or 0, round(seconds / float(stream.time_base)))


if __name__ == "__main__":
    import av.error

    try:
        _main(json.loads(sys.argv[1]), int(sys.argv[2]))
    except av.error.FFmpegError:
        sys.exit(0)  # the end of what is whole
