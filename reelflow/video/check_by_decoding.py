"""What a file is, found by decoding it to its end.

A header promises; only decoding proves. `check_video` lets one ffmpeg process under limits decode
every frame, which costs about as much as reading the video once. ffmpeg prints the exact time of
each frame and, at its end, what it decoded and how it turned it (its graph as JSON), so no other
program needs to read the header. A complaint of a decoder makes the file damaged: a network would
learn what the decoder shows instead (grey blocks, the last good picture). A second reader then
finds out how many frames are whole (`reelflow.video.intact_frames`).
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from reelflow.base.errors import VideoError
from reelflow.video import ffmpeg_messages, refusals
from reelflow.video.allowed_formats import MOST_PRINTED
from reelflow.video.ffmpeg import Finished, again_if_killed, run_ffmpeg, source
from reelflow.video.file_changed import hash_and_stamp
from reelflow.video.frame_times import Times, span
from reelflow.video.intact_frames import Intact, find_intact
from reelflow.video.open_safely import regular_file_size
from reelflow.video.process_limits import Bounds
from reelflow.video.process_output import Pipe
from reelflow.video.stream_info import describe, is_rescaled
from reelflow.video.thumbnails import Thumbnails

# Raise it when the same file gets another verdict, so that remembered verdicts are dropped.
CHECK_VERSION = 6
# Bytes of a line of `framecrc`, at the most.
_LONGEST_LINE = 200


@dataclass(frozen=True)
class VideoInfo:
    """What `check_video` found in a video; plain values all, `VideoInfo(**vars(info)) == info`.

    Attributes:
        hash: SHA-256 of the file's bytes, hexadecimal.
        bytes: size of the file.
        container: ffmpeg's name of the demuxer.
        codec: ffmpeg's name of the decoder.
        pixel_format: as stored.
        transfer: ffmpeg's name of the transfer function by which light is coded (`smpte2084` is PQ,
            `arib-std-b67` HLG); empty if it is not stated, or of eight bits.
        width: in pixels, as shown (after rotation and pixel aspect).
        height: in pixels, as shown.
        fps: mean frames a second; 0 for one frame of unknown duration.
        frames: how many frames there are.
        intact: how many of them, from the first on, are whole: all, unless the video is damaged.
        start: seconds, the first frame on the file's own clock.
        duration: seconds from the first frame to the end of the last, which lasts as long as the
            file states, or as the mean of the others.
        rotation: degrees clockwise by which the stored picture is turned to be shown.
        stream: index of the video stream in the file.
        pts: presentation time of each frame in units of `time_base`, in the order shown. A damaged
            video also has times of frames that the header promises and that are not there.
        time_base: seconds of one unit, a fraction as text.
    """

    hash: str
    bytes: int
    container: str
    codec: str
    pixel_format: str
    transfer: str
    width: int
    height: int
    fps: float
    frames: int
    intact: int
    start: float
    duration: float
    rotation: int
    stream: int
    pts: tuple[int, ...]
    time_base: str

    @property
    def repeated(self) -> int:
        """Frames that are not whole, or not there: the last whole one stands for them."""
        return self.frames - self.intact


class DamagedVideoError(VideoError):
    """A decoder complained of the video; the code is `damaged`.

    Attributes:
        info: what the video is, and how much of it is whole.
    """

    def __init__(self, path: str, reason: str, remedy: str, info: VideoInfo) -> None:
        super().__init__(path, "damaged", reason, remedy)
        self.info = info

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.path, self.reason, self.remedy, self.info))


def check_video(
    path: Path,
    bounds: Bounds,
    *,
    known_hash: str | None = None,
    thumbnails: Thumbnails | None = None,
) -> VideoInfo:
    """Decode `path` to its end and return what it is.

    Args:
        path: a file; its name and extension are not looked at.
        bounds: limits of the decoder.
        known_hash: the SHA-256, if the caller has it.
        thumbnails: filled while the video is decoded, if given.

    Raises:
        DamagedVideoError: it can be decoded, but not whole.
        VideoError: it cannot be used. The codes are those of `open_safely.opened`, `ffmpeg.run` and
            `refusals`.
    """
    size = regular_file_size(path, most_bytes=bounds.most_bytes)
    finished, last = _decode(path, bounds, thumbnails)
    times, _, graph = finished.stdout.partition(b"{")
    lines = times.split(b"\n")[:-1]
    if not lines:
        raise refusals.without_frames(finished, path, bounds)
    time_base = lines[0].split()[1].decode()
    decoded = np.array([int(line.split(b" ", 1)[0]) for line in lines], dtype=np.int64)
    described = _describe(json.loads(b"{" + graph), path, bounds)
    refusals.refuse_odd_shape(path, described["width"], described["height"])
    pts, intact = np.maximum.accumulate(decoded), len(decoded)
    complained = ffmpeg_messages.of_video(finished, described["stream"])
    if complained:
        found = find_intact(path, described["stream"], bounds)
        if found.encrypted:
            raise refusals.encrypted(path)
        intact = _common(decoded, found.pts)
        equal = np.array_equal(found.pts, decoded)
        if found.whole and equal and ffmpeg_messages.are_of_decoder(complained):
            complained = []  # they were about no picture
        else:
            pts = _promised(pts, intact, found)
    unit = float(Fraction(time_base))
    # The last frame of a damaged video may be missing, so its duration is unknown. AVI has a frame
    # or none for each of its units, which may be short.
    known = last and not complained and (len(pts) == 1 or described["container"] != "avi")
    seconds = (int(pts[-1] - pts[0]) + last if known else span(pts)) * unit
    refusals.refuse_odd_times(path, pts, seconds)
    info = VideoInfo(
        hash=known_hash or hash_file(path),
        bytes=size,
        frames=len(pts),
        intact=intact,
        start=float(pts[0]) * unit,
        duration=seconds,
        fps=len(pts) / seconds if seconds > 0 else 0.0,
        pts=tuple(pts.tolist()),
        time_base=time_base,
        **described,
    )
    if complained:
        complaint = ffmpeg_messages.cause(complained) or "an error of ffmpeg"
        reason = f"It is damaged: {intact} of {len(pts)} frames are whole, then «{complaint}»."
        raise DamagedVideoError(
            str(path), reason, refusals.keep_whole(intact, info.pixel_format), info
        )
    return info


def hash_file(path: Path) -> str:
    """SHA-256 of the file's bytes, hexadecimal. Raises `VideoError` as `open_safely.opened`."""
    return hash_and_stamp(path)[0]


def _describe(graph: dict[str, Any], path: Path, bounds: Bounds) -> dict[str, Any]:
    """The fields that do not depend on times. If the size changes, they describe the first frame,
    to whose size ffmpeg scales the others; that takes one more process."""
    if is_rescaled(graph):
        first = _decode(path, bounds, None, frames=1)[0].stdout
        graph = json.loads(first[first.index(b"{") :])
    return describe(graph, path, bounds)


@again_if_killed
def _decode(
    path: Path, bounds: Bounds, thumbnails: Thumbnails | None, frames: int | None = None
) -> tuple[Finished, int]:
    """Decode every frame, or the first few, of the first stream that is no cover art (`V`).

    Returns:
        an output of a line a frame (its time, the time base) and then ffmpeg's graph as JSON; and
        how long the last frame lasts, in that time base, 0 if unknown.
    """
    few = {"frames:v": frames} if frames else {}
    with source(path) as (whole, descriptor), ExitStack() as stack:
        video = whole["V:0"]
        shown = Pipe(stack, _LONGEST_LINE, last=True)
        times = ffmpeg.output(
            video,
            f"pipe:{shown.end}",
            # A line a frame, with its duration; of the frame as it lies in memory, not its pixels.
            format="framecrc",
            vcodec="wrapped_avframe",
            fps_mode="passthrough",
            enc_time_base="demux",
            stats_enc_pre="pipe:1",
            stats_enc_pre_fmt="{pts} {tb}",
            **few,
        )
        outputs, descriptors = [times], [descriptor, shown.end]
        if thumbnails:
            beside, write_end = stack.enter_context(thumbnails.beside(video))
            outputs, descriptors = [times, beside], [*descriptors, write_end]
        finished = run_ffmpeg(
            outputs,
            path,
            bounds,
            *("level+warning", "-print_graphs_file", "pipe:1", "-print_graphs_format", "json"),
            stdout_limit=MOST_PRINTED,
            pass_fds=tuple(descriptors),
            listen_for=ffmpeg_messages.LISTENED,
        )
        return finished, _duration_in(shown.read())


def _duration_in(listing: bytes) -> int:
    """The duration in the last line of a `framecrc` listing."""
    cells = listing.rstrip().rpartition(b"\n")[2].split(b",")
    return max(0, int(cells[3])) if len(cells) > 3 else 0


def _promised(pts: Times, intact: int, found: Intact) -> Times:
    """The times of the whole frames and, evenly after them, of all others that there are or that
    the header promises; since it may promise anything, at most twice as many as there are."""
    if not intact:
        return pts
    frames = min(max(found.promised, len(pts)), 2 * len(pts))
    seen = span(pts)
    length = min(max(found.span, seen), 2 * seen)
    last, missing = int(pts[intact - 1]), frames - intact
    end = int(pts[0]) + length
    others = last + (end - last) * np.arange(1, missing + 1, dtype=np.int64) // (missing + 1)
    return np.concatenate([pts[:intact], others])


def _common(decoded: Times, whole: tuple[int, ...]) -> int:
    """On how many times, from the first on, two readers agree."""
    pairs = enumerate(zip(decoded.tolist(), whole, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(decoded), len(whole)))
