"""The frames of a clip, exactly those that ffmpeg decodes at their timestamps.

One ffmpeg process a video: it decodes up to the last wanted frame, turns it as the file asks,
scales it to square pixels of the wanted size and writes RGB to a pipe; no intermediate file. The
times of the frames come back on a second pipe and are compared with those that `check_video` saw,
so that a file changed in between is noticed instead of being learned.
"""

from __future__ import annotations

import os
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from reelflow.errors import VideoError
from reelflow.video.check import VideoInfo, check_video
from reelflow.video.clip import Clip, ClipSpec
from reelflow.video.ffmpeg import QUIET, Bounds, again_if_killed, ffmpeg_exe, run
from reelflow.video.region import WHOLE, Box, region_of
from reelflow.video.sampling import SAMPLERS
from reelflow.video.source import NAME, input_options, opened

# `accurate_rnd` and `bitexact` give the same bytes on every processor, `full_chroma_int` keeps
# the colours of small pictures; together they cost a few per cent of a decode.
_SCALER_FLAGS = "accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"

_KEY_FRAMES = {"skip_frame": "nokey"}


def read_clip(
    path: Path, spec: ClipSpec, bounds: Bounds | None = None, *, info: VideoInfo | None = None
) -> Clip:
    """Read the frames of a clip.

    Args:
        path: the video.
        spec: which frames, at which size.
        bounds: limits of each decoder process.
        info: what `check_video` told of this very file; without it the file is checked first,
            which costs decoding it to its end.

    Returns:
        Clip of uint8 RGB (T, H, W, 3) with float64 (T,) seconds.

    Raises:
        VideoError: as `check_video`; `changed` if the file is no longer what `info` says;
            `no_key_frames` if the sampler wants some and there are none.
    """
    bounds = bounds or Bounds()
    info = info or check_video(path, bounds)
    every = np.asarray(info.pts, dtype=np.int64)
    region = region_of(spec, info, partial(_decode, path, bounds, info, WHOLE, every))
    times = _key_times(path, info, bounds) if spec.sampler == "keyframes" else every
    unit = float(Fraction(info.time_base))
    indices = SAMPLERS[spec.sampler](times, unit, spec)
    wanted, places = np.unique(indices, return_inverse=True)
    frames = _decode(path, bounds, info, region, times, spec, wanted)
    return Clip(np.ascontiguousarray(frames[places]), times[indices].astype(np.float64) * unit)


@again_if_killed
def _decode(
    path: Path,
    bounds: Bounds,
    info: VideoInfo,
    region: Box,
    times: NDArray[np.int64],
    spec: ClipSpec,
    wanted: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """The wanted of the frames at `times`, uint8 (K, H, W, 3), of a region of the picture."""
    count = len(wanted)
    read_end, write_end = os.pipe()
    # The filter counts the frames that come out of the decoder.
    only = _KEY_FRAMES if spec.sampler == "keyframes" else {}
    try:
        with opened(path) as descriptor:
            video = ffmpeg.input(NAME, **input_options(descriptor), **only)[str(info.stream)]
            video = video.filter("select", "+".join(f"eq(n,{index})" for index in wanted))
            command = ffmpeg.output(
                _fit(_cut(video, region), spec, info, region),
                "-",
                format="rawvideo",
                pix_fmt="rgb24",
                threads=1,
                fps_mode="passthrough",
                enc_time_base="demux",
                stats_enc_pre=f"pipe:{write_end}",
                stats_enc_pre_fmt="{pts}",
                **{"frames:v": count},
            ).global_args(*QUIET, "error")
            finished = run(
                command.compile(cmd=ffmpeg_exe()),
                path,
                bounds,
                stdout_limit=count * spec.height * spec.width * 3,
                pass_fds=(descriptor, write_end),
            )
    finally:
        os.close(write_end)
        # At most 512 lines of 21 bytes: they fit a pipe's buffer, so reading them last is safe.
        with os.fdopen(read_end, "rb") as pipe:
            lines = pipe.read().split()
    picture_bytes = spec.height * spec.width * 3
    if len(finished.stdout) != count * picture_bytes or len(lines) != count:
        got = len(finished.stdout) // picture_bytes
        raise VideoError(
            str(path),
            "changed",
            f"{got} of {count} wanted frames came out of the decoder ({finished.stderr.strip()}).",
            "Do not write to videos while the pipeline runs; run it again.",
        )
    pts = np.maximum.accumulate(np.array([int(line) for line in lines], dtype=np.int64))
    if not np.array_equal(pts, times[wanted]):
        raise VideoError(
            str(path),
            "changed",
            "Its frames are no longer those that were found when it was checked.",
            "Do not write to videos while the pipeline runs; run it again.",
        )
    frames = np.frombuffer(finished.stdout, np.uint8)
    return frames.reshape(count, spec.height, spec.width, 3)


@again_if_killed
def _key_times(path: Path, info: VideoInfo, bounds: Bounds) -> NDArray[np.int64]:
    """Times of the frames that decode alone, int64 (K,), found by decoding nothing else."""
    with opened(path) as descriptor:
        video = ffmpeg.input(NAME, **input_options(descriptor), **_KEY_FRAMES)[str(info.stream)]
        command = ffmpeg.output(
            video,
            "-",
            format="null",
            fps_mode="passthrough",
            enc_time_base="demux",
            stats_enc_pre="pipe:1",
            stats_enc_pre_fmt="{pts}",
        ).global_args(*QUIET, "error")
        finished = run(
            command.compile(cmd=ffmpeg_exe()),
            path,
            bounds,
            stdout_limit=22 * info.frames,
            pass_fds=(descriptor,),
        )
    times = np.array([int(line) for line in finished.stdout.split()], dtype=np.int64)
    if not len(times):
        raise VideoError(
            str(path),
            "no_key_frames",
            "None of its frames can be decoded without the others.",
            "Set extract.sampler to uniform in params.yaml.",
        )
    return np.maximum.accumulate(times)


def _cut(video: Any, region: Box) -> Any:
    """Filter that leaves a region: shares, so that pixels that are not square do not matter."""
    if region == WHOLE:
        return video
    left, top, width, height = (f"{share:.6f}" for share in region)
    return video.filter("crop", f"iw*{width}", f"ih*{height}", f"iw*{left}", f"ih*{top}")


def _fit(video: Any, spec: ClipSpec, info: VideoInfo, region: Box) -> Any:
    """Filters that give square pixels of the wanted size. Rotation was applied by ffmpeg."""
    flags = f"{spec.scaler}+{_SCALER_FLAGS}"
    width, height = spec.width, spec.height
    if spec.fit != "stretch":
        choose = max if spec.fit == "crop" else min
        shown = (Fraction(region[2]) * info.width, Fraction(region[3]) * info.height)
        scale = choose(width / shown[0], height / shown[1])
        width, height = round(shown[0] * scale), round(shown[1] * scale)
    video = video.filter("scale", max(1, width), max(1, height), flags=flags)
    video = video.filter("format", "rgb24")
    if spec.fit == "crop":
        video = video.filter("crop", spec.width, spec.height, exact=1)
    elif spec.fit == "pad":
        video = video.filter("pad", spec.width, spec.height, "(ow-iw)/2", "(oh-ih)/2")
    return video.filter("setsar", 1)
