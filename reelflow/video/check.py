"""What a file is, found by decoding it to its end.

A header promises; only decoding tells. `check_video` reads the header with PyAV (the wheel's
ffmpeg comes without ffprobe) and then lets ffmpeg decode every frame, which costs about as much
as reading the video once and gives the exact time of each frame. Whatever a decoder complains of
makes the file unusable: what it would show instead (grey blocks, the last good picture) would be
learned as if it were true.
"""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import ffmpeg
import numpy as np
from numpy.typing import NDArray

from reelflow.errors import VideoError
from reelflow.video.ffmpeg import Bounds, Finished, ffmpeg_exe, input_options, run, source
from reelflow.video.times import span

# Raised when the same file would be judged otherwise, so that remembered verdicts are dropped.
CHECK_VERSION = 1

# Two int64 in decimal and a line end: what ffmpeg prints for a frame, at the most.
_BYTES_A_FRAME = 44
_MOST_FRAMES = 5_000_000
# What the `null` muxer says of equal timestamps is no damage of the file.
_HARMLESS = re.compile(r"^\[null @|^\s+Last message repeated|^\s*$")
_REENCODE = (
    "Repair it with `ffmpeg -i IN -c:v libx264 OUT.mp4` and look at the result, or leave it out."
)


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
        VideoError: the file cannot be used. Codes: `missing`, `permission`, `not_a_file`, `empty`,
            `unreadable`, `no_video`, `no_frames`, `damaged`, `timeout`, `memory`, `output`,
            `crash`.
    """
    size = regular_file_size(path)
    digest = known_hash or hash_file(path)
    header = _read_header(path)
    pts, time_base = _decode_times(path, int(header["stream"]), bounds)
    unit = float(Fraction(time_base))
    seconds = span(pts) * unit
    return VideoInfo(
        hash=digest,
        bytes=size,
        frames=len(pts),
        start=float(pts[0]) * unit,
        duration=seconds,
        fps=len(pts) / seconds if seconds > 0 else 0.0,
        pts=tuple(int(value) for value in pts),
        time_base=time_base,
        **header,
    )


def hash_file(path: Path) -> str:
    """SHA-256 of the file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def regular_file_size(path: Path) -> int:
    """Bytes of a regular file that may be read and is not empty; opens nothing else.

    Raises:
        VideoError: `missing`, `permission`, `not_a_file`, `empty` or `unreadable`.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size:
            path.open("rb").close()
    except FileNotFoundError:
        raise VideoError(
            str(path), "missing", "There is no such file.", "Check the path."
        ) from None
    except PermissionError:
        raise VideoError(
            str(path), "permission", "It may not be read.", f"Allow it: chmod +r '{path}'."
        ) from None
    except OSError as error:
        raise VideoError(
            str(path), "unreadable", f"It cannot be read ({error.strerror}).", "Check the disk."
        ) from None
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
        raise VideoError(str(path), "not_a_file", f"It is {kind}.", "Name a video file.")
    if status.st_size == 0:
        raise VideoError(str(path), "empty", "It has no bytes.", "Copy or record it again.")
    return status.st_size


def _read_header(path: Path) -> dict[str, Any]:
    """Container, codec and picture geometry, from the header and the first frame."""
    try:
        with av.open(source(path), options={"protocol_whitelist": "file"}) as container:
            pictures = [s for s in container.streams.video if not _is_cover_art(s)]
            if not pictures:
                raise VideoError(
                    str(path), "no_video", "It holds no video stream.", "Leave it out."
                )
            stream = pictures[0]
            frame = next(container.decode(stream), None)
            if frame is None:
                raise VideoError(str(path), "no_frames", "Not one frame can be decoded.", _REENCODE)
            aspect = stream.sample_aspect_ratio or Fraction(1)
            width, height = max(1, round(frame.width * aspect)), frame.height
            turned = round(frame.rotation) % 180 == 90
            return {
                "container": str(container.format.name),
                "codec": str(stream.codec_context.name),
                "pixel_format": str(stream.codec_context.pix_fmt),
                "width": height if turned else width,
                "height": width if turned else height,
                "rotation": -round(frame.rotation) % 360,
                "stream": int(stream.index),
            }
    except av.error.FFmpegError as error:
        raise VideoError(
            str(path),
            "unreadable",
            f"It cannot be opened as a video ({error.strerror}).",
            "If it should be one, it was cut short or damaged: copy or record it again.",
        ) from None


def _is_cover_art(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _decode_times(path: Path, stream: int, bounds: Bounds) -> tuple[NDArray[np.int64], str]:
    """Decode every frame; return their times, int64 (N,), non-decreasing, and the time base."""
    node = ffmpeg.input(source(path), **input_options(bounds))
    command = ffmpeg.output(
        node[str(stream)],
        "-",
        format="null",
        fps_mode="passthrough",
        enc_time_base="demux",
        stats_enc_pre="pipe:1",
        stats_enc_pre_fmt="{pts} {tb}",
    ).global_args("-nostdin", "-v", "error")
    finished = run(
        command.compile(cmd=ffmpeg_exe()),
        path,
        bounds,
        stdout_limit=_MOST_FRAMES * _BYTES_A_FRAME,
    )
    lines = finished.stdout.split(b"\n")[:-1]
    _refuse_damage(finished, path, len(lines))
    time_base = lines[0].split()[1].decode()
    pts = np.array([int(line.split(b" ", 1)[0]) for line in lines], dtype=np.int64)
    return np.maximum.accumulate(pts), time_base


def _refuse_damage(finished: Finished, path: Path, frames: int) -> None:
    complaints = [line for line in finished.stderr.splitlines() if not _HARMLESS.match(line)]
    if frames == 0:
        raise VideoError(str(path), "no_frames", "Not one frame can be decoded.", _REENCODE)
    if complaints or finished.returncode != 0:
        said = (
            re.sub(r"^\[[^]]* @ 0x[0-9a-f]+\] ", "", complaints[0])
            if complaints
            else (f"exit status {finished.returncode}")
        )
        raise VideoError(
            str(path),
            "damaged",
            f"It is damaged: after {frames} decoded frames the decoder had said «{said}».",
            _REENCODE,
        )
