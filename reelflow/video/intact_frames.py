"""A second reader, for videos of which ffmpeg complained: which frames are whole.

ffmpeg reads, decodes and writes in threads, so a complaint belongs to no certain frame or stream.
Here PyAV takes one packet of the video stream after the other, in one thread, and stops at the
first complaint. What came out before is whole, but for the last packet, since damage may begin
before a reader notices it. A message about a packet without a picture, or about what no picture
needs, is no complaint. This file runs as a program of its own under the limits of any decoder, for
such videos alone: starting it takes some 0.2 s.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reelflow.video.process_limits import Bounds

# Additions to the pictures (captions, names of encoders, light of HDR) and parameters of other
# views. If a picture cannot be decoded without them, the decoder complains about it as well.
NOT_NEEDED = r"\bSEI\b|in buffering period|film grain|DOVI|\bVPS\b|sps_id \d+ out of range"
# A picture begins with one of these codes, in the codecs that begin all their parts with a code.
_PICTURE = {"mpeg1video": b"\0\0\1\0", "mpeg2video": b"\0\0\1\0", "mpeg4": b"\0\0\1\xb6"}
_CODE = re.compile(b"\0\0\1")
_WHOLE = "whole"


@dataclass(frozen=True)
class Intact:
    """Attributes:
    pts: times of the frames that are whole, in units of the stream, in the order shown.
    promised: frames that the header promises; 0 if unknown.
    span: how long they last by the header, in units of the stream; 0 if unknown.
    whole: whether these are all frames: there was no complaint to the end.
    encrypted: whether the file marks its pictures as encrypted.
    """

    pts: tuple[int, ...] = ()
    promised: int = 0
    span: int = 0
    whole: bool = False
    encrypted: bool = False


def find_intact(path: Path, stream: int | None, bounds: Bounds) -> Intact:
    """Which frames of a video are certainly whole; none, if this process breaks a limit.

    Args:
        path: the video.
        stream: index of its video stream; None for the first.
        bounds: limits of the process.
    """
    from reelflow.base.errors import VideoError
    from reelflow.video.allowed_formats import MOST_PRINTED, confined
    from reelflow.video.ffmpeg import again_if_killed, run
    from reelflow.video.open_safely import opened

    def ask() -> bytes:
        with opened(path) as descriptor:
            asked = json.dumps({name: str(value) for name, value in confined(descriptor).items()})
            command = [sys.executable, "-I", "-B", __file__, asked, json.dumps(stream)]
            return run(
                command, path, bounds, stdout_limit=MOST_PRINTED, pass_fds=(descriptor,)
            ).stdout

    try:
        lines = again_if_killed(ask)().decode().split()
        whole = lines[-1:] == [_WHOLE]
        encrypted, promised, span, *pts = (int(line) for line in lines[: -1 if whole else None])
    except (VideoError, ValueError):
        return Intact()
    return Intact(tuple(pts), promised, span, whole, bool(encrypted))


def _main(options: dict[str, str], index: int | None) -> None:
    """Print what the header promises, then the time of each whole frame."""
    import av
    from av.error import FFmpegError

    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)
    with av.open("fd:", options=options) as container:
        stream = container.streams.video[0] if index is None else container.streams[index]
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": options["max_pixels"]}
        for other in container.streams:
            if other is not stream:
                other.discard = av.stream.Discard.all
        certain: list[int | None] = []
        begun = shown = False
        with av.logging.Capture() as messages:
            for number, packet in enumerate(container.demux(stream)):
                if number == 0:
                    print(int(_is_encrypted(stream, packet)), *_promised(container, stream))
                # A recording may begin in the middle of a group of pictures: its first packets
                # cannot be decoded. An HEVC decoder that got them would not skip what leads the
                # first key frame.
                begun = begun or packet.is_keyframe or bool(certain)
                if not begun and stream.codec_context.name == "hevc":
                    messages.clear()
                    continue
                try:
                    frames, failed = packet.decode(), False
                except FFmpegError:
                    frames, failed = [], True
                complaints = failed or any(not re.search(NOT_NEEDED, line) for *_, line in messages)
                corrupt = packet.is_corrupt or any(frame.is_corrupt for frame in frames)
                corrupt = corrupt or (not shown and _begins_midway(stream.codec_context, frames))
                shown = shown or bool(frames)
                counts = (begun or frames) and holds_picture(stream.codec_context, packet)
                if corrupt or (complaints and counts):
                    return
                messages.clear()
                for pts in certain:
                    print(pts)
                certain = [frame.pts for frame in frames]
        for pts in certain:
            print(pts)
        print(_WHOLE)


def _begins_midway(codec: Any, first: list[Any]) -> bool:
    """Whether the first frame refers to others, which is only a warning of the decoder."""
    return codec.name == "theora" and bool(first) and not first[0].key_frame


def holds_picture(codec: Any, packet: Any) -> bool:
    """Whether a packet holds a picture, or a part of one, by its own codes; True if they do not
    show it. `codec` is a codec context of PyAV."""
    data = bytes(packet)
    if not data and packet.dts is None:
        return True  # the end: pictures that waited come out
    if codec.name in _PICTURE:
        return _PICTURE[codec.name] in data
    if not data or codec.name not in ("h264", "hevc"):
        return bool(data)
    kinds = list(_kinds(codec, data))
    if codec.name == "hevc":
        # Of the base view: others are not shown.
        return any(k is None or (k[0] >> 1 < 32 and not (k[0] & 1 or k[1] >> 3)) for k in kinds)
    return any(k is None or 1 <= k[0] & 31 <= 5 for k in kinds)


def _kinds(codec: Any, data: bytes) -> Iterator[bytes | None]:
    """The first two bytes of each unit of H.264 or HEVC; None where there is something else."""
    header = codec.extradata or b""
    if header[:1] != b"\1":
        starts = [found.end() for found in _CODE.finditer(data)]
        if not starts or data[: starts[0] - 3].strip(b"\0"):
            yield None
        yield from (data[at : at + 2] if len(data) >= at + 2 else None for at in starts)
        return
    digits, at = 1 + (header[21 if codec.name == "hevc" else 4] & 3), 0
    while at < len(data):
        size = int.from_bytes(data[at : at + digits], "big")
        at += digits
        yield data[at : at + 2] if 2 <= size <= len(data) - at else None
        at += size


def _is_encrypted(stream: Any, packet: Any) -> bool:
    return packet.has_sidedata("encryption_info") or "enc_key_id" in stream.metadata


def _promised(container: Any, stream: Any) -> tuple[int, int]:
    """Frames and their span. Matroska and FLV give seconds alone, an AVI cut short frames alone."""
    seconds, rate = (container.duration or 0) / 1_000_000, float(stream.average_rate or 0)
    frames = stream.frames or round(seconds * rate)
    seconds = max(seconds, frames / rate if rate else 0.0)
    return frames, max(stream.duration or 0, round(seconds / float(stream.time_base)))


if __name__ == "__main__":
    import av.error

    try:
        _main(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
    except av.error.FFmpegError:
        sys.exit(0)  # the end of what is whole
