"""Frames in, a video file out, the same bytes each time: ffmpeg on one thread, without dates.

With the same ffmpeg the bytes are the same on every processor: each option below that looks odd
removes a difference between two processors.

Ten formats that people really bring. Their settings favour speed; the pictures are so small that
quality is good all the same. A clip of 30 frames of 128 x 96 costs 10 to 40 ms.
"""

from __future__ import annotations

import errno
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.video.ffmpeg import ffmpeg_exe

# Of an output of ffmpeg, by their names without the dash.
Options = dict[str, str | int]


@dataclass(frozen=True)
class Format:
    """A container, a codec and how they are written.

    Attributes:
        extension: of the file's name, with the dot.
        muxer: ffmpeg's name of the container.
        codec: ffmpeg's name of the encoder.
        options: further output options.
        pixel_format: as stored.
    """

    extension: str
    muxer: str
    codec: str
    options: Options = field(hash=False)
    pixel_format: str = "yuv420p"


# `cpu-independent`: else x264's code for AVX-512 reads memory that nobody has set.
_X264: Options = {"preset": "veryfast", "crf": 20, "x264-params": "cpu-independent=1"}
_VP9: Options = {"deadline": "realtime", "cpu-used": 8, "crf": 28, "b:v": 0}
# Never `realtime` for VP8: it then adapts to how busy the machine is, and the bytes with it.
_VP8: Options = {"deadline": "good", "cpu-used": 5, "crf": 12, "b:v": "1M"}

# Transforms in plain C; by default these encoders choose one for each kind of processor.
_DCT: Options = {"dct": "int", "idct": "simple"}

# `info` would write the features of the processor into the file.
_X265: Options = {
    "preset": "ultrafast",
    "crf": 20,
    "x265-params": "log-level=error:pools=none:info=0",
}

# Leaves out the encoder's version and random ids, and picks the arithmetic that is the same on
# every processor. The scaler, which turns RGB into YUV, needs its own flag.
_BITEXACT = {"fflags": "+bitexact", "flags:v": "+bitexact"}

FORMATS = (
    Format(".mp4", "mp4", "libx264", _X264),
    Format(".mov", "mov", "mjpeg", {"q:v": 4, **_DCT}, "yuvj420p"),
    Format(".mkv", "matroska", "libx265", _X265),
    Format(".avi", "avi", "mpeg4", {"q:v": 3, **_DCT}),
    Format(".webm", "webm", "libvpx-vp9", _VP9),
    Format(".webm", "webm", "libvpx", _VP8),
    Format(".ts", "mpegts", "libx264", _X264),
    Format(".wmv", "asf", "wmv2", {"q:v": 3, **_DCT}),
    Format(".flv", "flv", "flv", {"q:v": 3, **_DCT}),
    Format(".ogv", "ogg", "libtheora", {"q:v": 7}),
)


def encode(frames: NDArray[np.uint8], path: Path, form: Format, rate: str) -> None:
    """Write a file.

    Args:
        frames: uint8 RGB, (N, H, W, 3), of even height and width.
        path: where to.
        form: container and codec.
        rate: frames a second, a fraction as ffmpeg takes it.

    Raises:
        DataError: ffmpeg refused.
        OSError: the disk is full (`ENOSPC`).
    """
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    source = ffmpeg.input("pipe:0", format="rawvideo", pix_fmt="rgb24", s=size, framerate=rate)
    output = source.output(
        f"file:{path}",
        **form.options,
        format=form.muxer,
        vcodec=form.codec,
        pix_fmt=form.pixel_format,
        sws_flags="bicubic+accurate_rnd+bitexact",
        threads=1,
        map_metadata=-1,
        **_BITEXACT,
    )
    command = output.global_args("-v", "error", "-y").compile(cmd=ffmpeg_exe())
    done = subprocess.run(command, input=frames.tobytes(), capture_output=True, check=False)
    said = done.stderr.decode("utf-8", "replace").strip()
    if "No space left on device" in said:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))
    if done.returncode:
        reason = said.partition("\n")[0] or f"exit status {done.returncode}"
        raise DataError(f"ffmpeg could not write {path}: {reason}")
