"""Wanted frames of one or several videos, decoded by one ffmpeg process.

Each video is an input of its own with a filter chain and two pipes of its own: one for its
pictures, RGB, already turned, cut and scaled; one for their times, which are compared with those
that `check_video` saw, so that a file changed in between is noticed instead of being learned. No
intermediate file. Starting ffmpeg takes longer than decoding a short video, so several short ones
share a process; a video gives the same bytes alone and in company.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from reelflow.errors import VideoError
from reelflow.video.check import VideoInfo
from reelflow.video.ffmpeg import QUIET, Bounds, again_if_killed, ffmpeg_exe, run
from reelflow.video.packets import spared
from reelflow.video.pipe import Pipe
from reelflow.video.region import WHOLE
from reelflow.video.source import NAME, input_options, opened
from reelflow.video.times import Times
from reelflow.video.wanted import Wanted

# `accurate_rnd` and `bitexact` give the same bytes on every processor, `full_chroma_int` keeps
# the colours of small pictures; together they cost a few per cent of a decode.
_SCALER_FLAGS = "accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
# HDR, by its transfer functions PQ and HLG, is brought to the light of a common screen as is usual
# with ffmpeg: linear, white at 100 candelas a square metre, in the colours of BT.709, highlights by
# Hable's curve. It is done to scaled pictures, since each value takes four bytes on the way.
_HDR = ("smpte2084", "arib-std-b67")
_TO_SDR = (
    "format=gbrp16le", "zscale=t=linear:npl=100", "format=gbrpf32le", "zscale=p=bt709",
    "tonemap=hable:desat=0", "zscale=t=bt709", "format=gbrp",
)  # fmt: skip
# Kinds of transparent pictures that the scaler would not lay over true black as they are.
_TRANSPARENT = ("yuva", "pal8")
# Only what decodes alone: of packets flagged as such in the container, so that threads have no
# others to wait for, or of all, where it flags none. (Dropped earlier, by `discard`, packets of MP4
# have wrong times.)
_KEY_FRAMES = {"skip_frame": "nokey"}
_FLAGGED = {**_KEY_FRAMES, "bsf:v": "noise=drop=not(key)"}
# Digits of a time and a line end, at the most.
_BYTES_A_TIME = 22
# With more a picture waits longer for its turn than it takes, and each has pictures of its own.
_MOST_THREADS = 4
_AGAIN = "Do not write to videos while the pipeline runs; run it again."


def decode(many: Sequence[Wanted], bounds: Bounds) -> list[NDArray[np.uint8]]:
    """The wanted frames of each video, uint8 (K, *wanted.size, 3).

    Args:
        many: at least one; the bounds hold for all of them together.
        bounds: limits of the process.

    Raises:
        VideoError: as `reelflow.video.ffmpeg.run` and `opened`, or `changed`. Where there are
            several it may name another than the one at fault: ask for each alone.
    """
    threads = _threads() if len(many) == 1 else 1
    try:
        return _decode(spared(many, bounds), bounds, threads)
    except VideoError as error:
        if error.code not in ("changed", "memory"):
            raise
    # Once more, all packets of it, and in one thread, which takes the least memory.
    return _decode(many, bounds, 1)


@again_if_killed
def _decode(many: Sequence[Wanted], bounds: Bounds, threads: int) -> list[NDArray[np.uint8]]:
    with ExitStack() as stack:
        outputs, pairs, open_files = [], [], []
        for wanted in many:
            descriptor = stack.enter_context(opened(wanted.path))
            pictures = Pipe(stack, wanted.frame_bytes * len(wanted.indices))
            times = Pipe(stack, _BYTES_A_TIME * len(wanted.indices))
            options = {**input_options(descriptor), "threads": threads, **wanted.only}
            if wanted.dropped:
                options["bsf:v"] = wanted.dropped
            video = ffmpeg.input(NAME, **options)
            outputs.append(
                ffmpeg.output(
                    video[str(wanted.info.stream)],
                    f"pipe:{pictures.end}",
                    format="rawvideo",
                    pix_fmt="rgb24",
                    threads=1,
                    fps_mode="passthrough",
                    enc_time_base="demux",
                    stats_enc_pre=f"pipe:{times.end}",
                    stats_enc_pre_fmt="{pts}",
                    # One graph for all (`filter_complex`) would be worked on by one thread.
                    vf=",".join([_chosen(wanted.indices), *filters_of(wanted)]),
                    **{"frames:v": len(wanted.indices)},
                )
            )
            pairs.append((pictures, times))
            open_files += [descriptor, pictures.end, times.end]
        command = ffmpeg.merge_outputs(*outputs).global_args(*QUIET, "error")
        arguments = command.compile(cmd=ffmpeg_exe())
        finished = run(arguments, many[0].path, bounds, stdout_limit=0, pass_fds=tuple(open_files))
        return [
            _frames(wanted, pictures.read(), times.read(), finished.stderr)
            for wanted, (pictures, times) in zip(many, pairs, strict=True)
        ]


def key_times(path: Path, info: VideoInfo, bounds: Bounds) -> tuple[Times, dict[str, str]]:
    """Times of the frames that decode alone, int64 (K,), found by decoding nothing else, and the
    options of ffmpeg's input with which these and no others come out.

    Raises:
        VideoError: as `decode`; `no_key_frames` if there are none.
    """
    for only in (_FLAGGED, _KEY_FRAMES):
        try:
            times = _times(path, info, bounds, {**only, "threads": _threads()})
        except VideoError as error:
            if error.code != "memory":
                raise
            times = _times(path, info, bounds, only)
        if len(times):
            return np.maximum.accumulate(times), only
    raise VideoError(
        str(path),
        "no_key_frames",
        "None of its frames can be decoded without the others.",
        "Set extract.sampler to uniform in params.yaml.",
    )


@again_if_killed
def _times(path: Path, info: VideoInfo, bounds: Bounds, options: dict[str, Any]) -> Times:
    """Times of the frames that come out with these options of the input."""
    with opened(path) as descriptor:
        video = ffmpeg.input(NAME, **{**input_options(descriptor), **options})
        command = ffmpeg.output(
            video[str(info.stream)],
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
            stdout_limit=_BYTES_A_TIME * info.frames,
            pass_fds=(descriptor,),
        )
    return np.array([int(line) for line in finished.stdout.split()], dtype=np.int64)


def _threads() -> int:
    """Of a decoder that works on one video alone."""
    return min(_MOST_THREADS, len(os.sched_getaffinity(0)))


def _frames(wanted: Wanted, pictures: bytes, lines: bytes, said: str) -> NDArray[np.uint8]:
    count = len(wanted.indices)
    pts = np.array([int(line) for line in lines.split()], dtype=np.int64)
    if len(pictures) != count * wanted.frame_bytes or len(pts) != count:
        got = len(pictures) // wanted.frame_bytes
        raise VideoError(
            str(wanted.path),
            "changed",
            f"{got} of {count} wanted frames came out of the decoder ({said.strip()}).",
            _AGAIN,
        )
    if not np.array_equal(np.maximum.accumulate(pts), wanted.times[wanted.indices]):
        raise VideoError(
            str(wanted.path),
            "changed",
            "Its frames are no longer those that were found when it was checked.",
            _AGAIN,
        )
    frames = np.frombuffer(pictures, np.uint8)
    return frames.reshape(count, *wanted.size, 3)


def filters_of(wanted: Wanted) -> list[str]:
    """Filters from the decoder's frames to square pixels of the wanted size, laid over black where
    they are transparent. ffmpeg itself has turned the picture as the file asks."""
    spec, info, region = wanted.spec, wanted.info, wanted.region
    filters = []
    if region != WHOLE:
        # Shares, so that pixels that are not square do not matter.
        left, top, width, height = (f"{share:.6f}" for share in region)
        filters.append(f"crop=iw*{width}:ih*{height}:iw*{left}:ih*{top}")
    scaler = f"flags={spec.scaler}+{_SCALER_FLAGS}:alphablend=uniform_color"
    if info.pixel_format.startswith(_TRANSPARENT):
        filters += [f"scale={scaler}", "format=gbrap"]
    down, across = wanted.scaled
    filters.append(f"scale={across}:{down}:{scaler}")
    if info.transfer in _HDR:
        filters += _TO_SDR
    filters.append("format=rgb24")
    if spec.fit == "crop" and spec.crops == 1:
        filters.append(f"crop={spec.width}:{spec.height}:exact=1")
    elif spec.fit == "pad":
        filters.append(f"pad={spec.width}:{spec.height}:(ow-iw)/2:(oh-ih)/2")
    return [*filters, "setsar=1"]


def _chosen(indices: NDArray[np.int64]) -> str:
    """ffmpeg's filter that lets frames pass by their number as they come out of the decoder;
    neighbours are one term."""
    runs = np.split(indices, np.flatnonzero(np.diff(indices) != 1) + 1)
    terms = (
        f"eq(n,{run[0]})" if len(run) == 1 else f"between(n,{run[0]},{run[-1]})" for run in runs
    )
    return f"select='{'+'.join(terms)}'"
