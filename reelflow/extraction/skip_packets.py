"""Which packets of a video need not be decoded for a few of its frames.

In H.264 and HEVC the first bytes of a packet show whether decoding can start at it and, in H.264,
whether other pictures refer to it. So a long video whose wanted frames lie far apart need not be
decoded whole. Each group of pictures (GOP) with a wanted frame is decoded up to its last wanted
one, without pictures that are neither wanted nor referred to. The same decoder gets the other
packets in the same order, so the frames are the same to the bit. ffmpeg lists the packets without
decoding any. If anything about them is odd, all are decoded. If other frames come out than
expected, `reelflow.extraction.ffmpeg_decoder` decodes everything once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import VideoError
from reelflow.extraction import pyav_process
from reelflow.extraction.wanted_frames import LONGEST, Wanted, one_at
from reelflow.video.ffmpeg import again_if_killed, run_ffmpeg, source
from reelflow.video.frame_times import Times
from reelflow.video.process_limits import Bounds
from reelflow.video.process_output import Pipe

# Types of the units of a packet, as ffmpeg's `filter_units` wants them: pictures after which no
# picture refers to one before (H.264: IDR. HEVC: BLA, IDR), and sets of parameters.
_STARTS = {"h264": "5", "hevc": "16-20"}
_PARAMETERS = {"h264": "7-8", "hevc": "32-34"}
# Whether other pictures of HEVC refer to one depends on temporal layers, which its packet does not
# show.
_REFERRED = {"h264": "filter_units=discard=nonref", "hevc": "null"}
# Listing takes 10 ms and more; that much is decoded in 30.
_WORTHWHILE = 20 * 640 * 480
# Share of the frames beyond which almost every packet is needed.
_MOST_WANTED = 0.5
# A line of a listing, with what some containers add.
_BYTES_A_PACKET = 400


@dataclass(frozen=True)
class Packets:
    """The packets of a video in the order in which they are decoded.

    Attributes:
        pts, dts: int64 (P,), times of showing and decoding; `dts` rises.
        referred: bool (P,), whether a picture may refer to it.
        starts: int64 (G,), where decoding can start; the first is 0.
    """

    pts: Times
    dts: Times
    referred: NDArray[np.bool_]
    starts: NDArray[np.int64]


def spared(wanted: Wanted, bounds: Bounds) -> Wanted:
    """The same wanted frames, from fewer packets if that is certain and worth it."""
    if not _worthwhile(wanted):
        return wanted
    try:
        packets = _parse(_list(wanted, bounds), wanted)
    except VideoError:
        return wanted
    return _without(wanted, packets) if packets else wanted


def needed(packets: Packets, wanted: Times) -> NDArray[np.bool_]:
    """Which packets must be decoded for the frames shown at `wanted`, bool (P,)."""
    keep = np.zeros(len(packets.pts), np.bool_)
    times = packets.pts.tolist()
    for at, asked in pyav_process.needed(times, set(wanted.tolist()), packets.starts.tolist()):
        keep[at] = asked or packets.referred[at]
    return keep


def _parse(texts: Sequence[bytes], wanted: Wanted) -> Packets | None:
    """The packets of a video from ffmpeg's listings: of all, of those that others refer to, of
    those at which decoding can start, of sets of parameters. None if anything is odd."""
    info = wanted.info
    rows = [_rows(text, info.time_base) for text in texts]
    if any(found is None for found in rows):
        return None
    every, referred, starts, parameters = (found or [] for found in rows)
    pts = np.array([row[1] for row in every], np.int64)
    dts = np.array([row[0] for row in every], np.int64)
    # A frame a packet, each with its own time, and no packet that is not shown (edit lists).
    if not np.array_equal(np.sort(pts), info.pts) or (np.diff(np.sort(pts)) == 0).any():
        return None
    # Sets that change on the way could be lost.
    if (np.diff(dts) <= 0).any() or len({row[2:] for row in parameters}) > 1:
        return None
    begin = {row[1] for row in starts}
    if parameters:
        begin &= {row[1] for row in parameters}
    places = np.flatnonzero(np.isin(pts, list(begin)))
    return Packets(
        pts,
        dts,
        np.isin(pts, [row[1] for row in referred]),
        np.union1d([0], places).astype(np.int64),
    )


def _worthwhile(wanted: Wanted) -> bool:
    info = wanted.info
    return (
        info.codec in _STARTS
        and not wanted.keys
        and info.intact == info.frames
        and info.frames * info.width * info.height > _WORTHWHILE
        and len(wanted.indices) <= _MOST_WANTED * info.frames
    )


@again_if_killed
def _list(wanted: Wanted, bounds: Bounds) -> list[bytes]:
    """Four listings of the packets of a video, see `_parse`."""
    info = wanted.info
    filters = (
        "null",
        _REFERRED[info.codec],
        f"filter_units=pass_types={_STARTS[info.codec]}",
        f"filter_units=pass_types={_PARAMETERS[info.codec]}",
    )
    with source(wanted.path) as (whole, descriptor), ExitStack() as stack:
        video = whole[str(info.stream)]
        pipes = [Pipe(stack, _BYTES_A_PACKET * (info.frames + 10)) for _ in filters]
        outputs = [
            ffmpeg.output(
                video, f"pipe:{pipe.end}", **{"format": "framecrc", "c": "copy", "bsf:v": name}
            )
            for name, pipe in zip(filters, pipes, strict=True)
        ]
        ends = [pipe.end for pipe in pipes]
        run_ffmpeg(outputs, wanted.path, bounds, "error", pass_fds=(descriptor, *ends))
        return [pipe.read() for pipe in pipes]


def _rows(text: bytes, time_base: str) -> list[tuple[Any, ...]] | None:
    """(dts, pts, bytes, checksum) of each packet of a `framecrc` listing."""
    lines = text.split(b"\n")
    if b"#tb 0: " + time_base.encode() not in lines:
        return None
    cells = [line.split(b",") for line in lines if line and not line.startswith(b"#")]
    try:
        return [(int(row[1]), int(row[2]), int(row[4]), row[5]) for row in cells]
    except (ValueError, IndexError):
        return None


def _without(wanted: Wanted, packets: Packets) -> Wanted:
    """`wanted`, from the packets alone that it needs."""
    keep = needed(packets, wanted.times[wanted.indices])
    dropped = one_at("dts", packets.dts, ~keep)
    if keep.all() or len(dropped) > LONGEST:
        return wanted
    return replace(wanted, dropped=f"noise=drop='{dropped}'")
