"""What a file is, found by decoding it to its end.

A header promises; only decoding tells. `check_video` lets one bounded ffmpeg process decode every
frame, which costs about as much as reading the video once; it prints the exact time of each frame
and, at its end, what it decoded and how it turned it (its graph as JSON), so that no other program
needs to read the header. Whatever a decoder complains of makes the file unusable: what it would
show instead (grey blocks, the last good picture) would be learned as if it were true.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from reelflow.video import refusals
from reelflow.video.ffmpeg import QUIET, Bounds, Finished, again_if_killed, ffmpeg_exe, run
from reelflow.video.graph import describe
from reelflow.video.source import NAME, input_options, opened, regular_file_size
from reelflow.video.times import span

# Raised when the same file would be judged otherwise, so that remembered verdicts are dropped.
CHECK_VERSION = 2

# Two int64 in decimal and a line end: what ffmpeg prints for a frame, at the most.
_BYTES_A_FRAME = 44
_BYTES_OF_GRAPH = 1 << 18
# 18 hours at 30 a second; their times take 250 MiB here while they are read.
MOST_FRAMES = 2_000_000


@dataclass(frozen=True)
class VideoInfo:
    """What decoding a video to its end tells.

    Attributes:
        hash: SHA-256 of the file's bytes, hexadecimal.
        bytes: size of the file.
        container: ffmpeg's name of the demuxer.
        codec: ffmpeg's name of the decoder.
        pixel_format: as stored.
        width: in pixels, as shown (after rotation and pixel aspect).
        height: in pixels, as shown.
        fps: mean frames a second.
        frames: frames decoded.
        start: seconds, the first frame on the file's own clock.
        duration: seconds from the first frame to the end of the last.
        rotation: degrees clockwise by which the stored picture is turned to be shown.
        stream: index of the video stream in the file.
        pts: presentation time of each frame in units of `time_base`, in the order shown.
        time_base: seconds of one unit, a fraction as text.
    """

    hash: str
    bytes: int
    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    fps: float
    frames: int
    start: float
    duration: float
    rotation: int
    stream: int
    pts: tuple[int, ...]
    time_base: str

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values; `VideoInfo(**info.to_dict()) == info`."""
        return {**asdict(self), "pts": self.pts}


def check_video(path: Path, bounds: Bounds, *, known_hash: str | None = None) -> VideoInfo:
    """Decode `path` to its end and tell what it is.

    Args:
        path: a file; its name and extension are not looked at.
        bounds: limits of the decoder.
        known_hash: the SHA-256, if the caller has it.

    Raises:
        VideoError: the file cannot be used. The codes are those of `source.opened`, `ffmpeg.run`
            and `refusals`.
    """
    size = regular_file_size(path, most_bytes=bounds.most_bytes)
    digest = known_hash or hash_file(path)
    finished = again_if_killed(lambda: _decode(path, bounds))
    times, _, graph = finished.stdout.partition(b"{")
    lines = times.split(b"\n")[:-1]
    refusals.refuse_failure(finished, path, bounds, frames=len(lines))
    time_base = lines[0].split()[1].decode()
    pts = np.array([int(line.split(b" ", 1)[0]) for line in lines], dtype=np.int64)
    pts = np.maximum.accumulate(pts)
    unit = float(Fraction(time_base))
    seconds = span(pts) * unit
    refusals.refuse_odd_times(path, pts, seconds)
    described = describe(json.loads(b"{" + graph), path, bounds)
    refusals.refuse_odd_shape(path, described["width"], described["height"])
    return VideoInfo(
        hash=digest,
        bytes=size,
        frames=len(pts),
        start=float(pts[0]) * unit,
        duration=seconds,
        fps=len(pts) / seconds if seconds > 0 else 0.0,
        pts=tuple(pts.tolist()),
        time_base=time_base,
        **described,
    )


def hash_file(path: Path) -> str:
    """SHA-256 of the file's bytes, hexadecimal. Raises `VideoError` as `source.opened`."""
    with opened(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _decode(path: Path, bounds: Bounds) -> Finished:
    """Decode every frame of the first stream that is no cover art (`V`). The output is a line a
    frame, its time and the time base, then ffmpeg's graph as JSON."""
    with opened(path) as descriptor:
        command = ffmpeg.output(
            ffmpeg.input(NAME, **input_options(descriptor))["V:0"],
            "-",
            format="null",
            fps_mode="passthrough",
            enc_time_base="demux",
            stats_enc_pre="pipe:1",
            stats_enc_pre_fmt="{pts} {tb}",
        ).global_args(
            *(*QUIET, "level+warning"),
            *("-print_graphs_file", "pipe:1", "-print_graphs_format", "json"),
        )
        return run(
            command.compile(cmd=ffmpeg_exe()),
            path,
            bounds,
            stdout_limit=MOST_FRAMES * _BYTES_A_FRAME + _BYTES_OF_GRAPH,
            pass_fds=(descriptor,),
            listen_for=refusals.COMPLAINTS,
        )
