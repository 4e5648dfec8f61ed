"""Wanted frames of a video, decoded by one ffmpeg process.

It writes to two pipes and to no file. One pipe carries the pictures: RGB, turned, cut and scaled.
The other carries their times. These are compared with the times that `check_video` saw, so that a
file changed in between is noticed instead of learned.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import VideoError
from reelflow.extraction.scale_and_crop import filters_of
from reelflow.extraction.skip_packets import spared
from reelflow.extraction.wanted_frames import LONGEST, Wanted, one_at
from reelflow.video.check_by_decoding import VideoInfo
from reelflow.video.ffmpeg import again_if_killed, run_ffmpeg, source
from reelflow.video.file_changed import changed
from reelflow.video.frame_times import Times, is_rising
from reelflow.video.process_limits import Bounds
from reelflow.video.process_output import Pipe

# The decoder skips what is no key frame by its own bits; flags of containers lie. Times are moved
# far off: if a packet has none, ffmpeg counts the frames that come out, which are not all, or takes
# the time of decoding, and no such time is among the moved ones.
_AWAY = 1 << 44
_KEY_FRAMES = {"skip_frame": "nokey", "bsf:v": f"setts=pts=PTS+{_AWAY}:dts=NOPTS"}
# A decoder also flags as key frames those from which it only recovers in time, which are P or B.
_KEY = "select=key*lt(pict_type\\,2)"
# Digits of a time and a line end, at the most.
_BYTES_A_TIME = 22
# With more a picture waits longer for its turn than it takes, and each has pictures of its own.
_MOST_THREADS = 4


def decode(wanted: Wanted, bounds: Bounds) -> NDArray[np.uint8]:
    """The wanted frames of a video, uint8 (K, *wanted.size, 3).

    Raises:
        VideoError: as `reelflow.video.ffmpeg.run` and `opened`, or `changed`.
    """
    try:
        return _decode(spared(wanted, bounds), bounds, _threads())
    except VideoError as error:
        if error.code not in ("changed", "memory"):
            raise
    # Once more, all packets of it, and in one thread, which takes the least memory.
    return _decode(replace(wanted, keys=False), bounds, 1)


@again_if_killed
def _decode(wanted: Wanted, bounds: Bounds, threads: int) -> NDArray[np.uint8]:
    chosen, passing = _chosen(wanted)
    options: dict[str, Any] = {"threads": threads, **(_KEY_FRAMES if wanted.keys else {})}
    if wanted.dropped:
        options["bsf:v"] = wanted.dropped
    with source(wanted.path, **options) as (video, descriptor), ExitStack() as stack:
        pictures = Pipe(stack, wanted.frame_bytes * len(passing))
        times = Pipe(stack, _BYTES_A_TIME * len(passing))
        output = ffmpeg.output(
            video[str(wanted.info.stream)],
            f"pipe:{pictures.end}",
            format="rawvideo",
            pix_fmt="rgb24",
            threads=1,
            fps_mode="passthrough",
            enc_time_base="demux",
            stats_enc_pre=f"pipe:{times.end}",
            stats_enc_pre_fmt="{pts}",
            vf=",".join([chosen, *filters_of(wanted.spec, wanted.info, wanted.region)]),
            **{"frames:v": len(passing)},
        )
        run_ffmpeg(
            [output],
            wanted.path,
            bounds,
            "error",
            pass_fds=(descriptor, pictures.end, times.end),
            frames=wanted.info.frames,
        )
        shown = np.array([int(line) for line in times.read().split()], dtype=np.int64)
        pixels = np.frombuffer(pictures.read(), np.uint8)
    as_checked = np.array_equal(shown, _moved(wanted)[passing])
    if not as_checked or len(pixels) != len(passing) * wanted.frame_bytes:
        raise changed(wanted.path)
    frames = pixels.reshape(len(passing), *wanted.size, 3)
    if len(passing) == len(wanted.indices):
        return frames
    return frames[np.searchsorted(passing, wanted.indices)]


def decoder_times(path: Path, info: VideoInfo, bounds: Bounds) -> Times:
    """int64 (N,), the times of all frames as they come out of the decoder: those of `info`, unless
    a time lies before that of the frame before. Raises `VideoError` as `decode`."""
    shown = np.asarray(info.pts, np.int64)
    if is_rising(shown):
        return shown
    times, _ = _listed(path, info, bounds, {}, "{pts}")
    if not np.array_equal(np.maximum.accumulate(times[: info.intact]), shown[: info.intact]):
        raise changed(path)
    return times


def key_frames(path: Path, info: VideoInfo, bounds: Bounds) -> tuple[NDArray[np.int64], bool]:
    """Which frames are key frames, int64 (K,), maybe none, and whether to decode these is enough.

    If packets have times of their own, finding key frames decodes nothing else; otherwise it
    decodes everything.

    Raises:
        VideoError: as `decode`.
    """
    shown = np.asarray(info.pts, np.int64)
    try:
        options = {**_KEY_FRAMES, "threads": _threads()}
        times, complaint = _listed(path, info, bounds, options, "{pts}", _KEY)
    except VideoError as error:
        if error.code != "memory":
            raise
    else:
        places = np.searchsorted(shown, times - _AWAY).clip(max=len(shown) - 1)
        found = np.array_equal(shown[places], times - _AWAY) and is_rising(times)
        if len(times) and found and not complaint and is_rising(shown):
            return places.astype(np.int64), True
    keys, _ = _listed(path, info, bounds, {}, "{ni}", _KEY)
    return keys, False


@again_if_killed
def _listed(
    path: Path,
    info: VideoInfo,
    bounds: Bounds,
    options: dict[str, Any],
    fact: str,
    chosen: str = "null",
) -> tuple[NDArray[np.int64], str]:
    """A fact (ffmpeg's name) of each frame that comes out with these options of the input and that
    the filter chooses, and what ffmpeg complained of."""
    with source(path, **options) as (video, descriptor):
        output = ffmpeg.output(
            video[str(info.stream)],
            "-",
            format="null",
            fps_mode="passthrough",
            enc_time_base="demux",
            stats_enc_pre="pipe:1",
            stats_enc_pre_fmt=fact,
            vf=chosen,
        )
        most = _BYTES_A_TIME * info.frames
        finished = run_ffmpeg(
            [output], path, bounds, "error", stdout_limit=most, pass_fds=(descriptor,)
        )
    facts = np.array([int(line) for line in finished.stdout.split()], dtype=np.int64)
    return facts, finished.stderr


def _threads() -> int:
    """Threads of a decoder."""
    return min(_MOST_THREADS, len(os.sched_getaffinity(0)))


def _chosen(wanted: Wanted) -> tuple[str, NDArray[np.int64]]:
    """ffmpeg's filter for the wanted frames, and which frames it lets pass, int64 (P,): also
    others, if times come more than once. The filter does not choose by number, since ffmpeg starts
    counting again when the size or format of the picture changes."""
    times = _moved(wanted)
    upto, asked = times[: wanted.indices[-1] + 1], times[wanted.indices]
    passes, rising = np.isin(upto, asked), np.unique(upto)
    choice = one_at("pts", rising, np.isin(rising, asked))
    if len(choice) > LONGEST:
        passes, choice = upto >= asked.min(), f"gte(pts,{asked.min()})"
    return f"select='{choice}'", np.flatnonzero(passes)


def _moved(wanted: Wanted) -> Times:
    """The times that come out of the decoder."""
    return wanted.times + _AWAY if wanted.keys else wanted.times
