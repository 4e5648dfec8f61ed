"""The clip of a video: frames exactly as ffmpeg decodes them at their timestamps."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import VideoError
from reelflow.extraction.crops import crops_of
from reelflow.extraction.ffmpeg_decoder import decode, key_frames, told_times
from reelflow.extraction.pyav_decoder import decoder, takes
from reelflow.extraction.region import WHOLE, region_of
from reelflow.extraction.samplers import sampler
from reelflow.extraction.wanted_frames import Wanted
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.video.check import VideoInfo, check_video
from reelflow.video.frame_times import is_rising
from reelflow.video.process_limits import Bounds

# Videos of so much work each share a process: more and starting it no longer counts, and the
# bounds of a video would be those of many.
_SHORT = 400 * 640 * 480
TOGETHER = 8
# The place of a video among those asked for, and what `_wanted` says of it.
_Placed = tuple[int, Wanted, NDArray[np.int64]]


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
        Clip of uint8 RGB, `spec.stored_shape`, with its seconds. Where a frame of a damaged video
        is not whole, the last whole one stands for it, with its own time.

    Raises:
        VideoError: as `check_video`; `changed` if the file is no longer what `info` says;
            `no_key_frames` if the sampler wants some and there are none.
    """
    bounds = bounds or Bounds()
    wanted, places = _wanted(path, spec, bounds, info or check_video(path, bounds))
    return _clip(wanted, places, decode([wanted], bounds)[0])


def read_clips(
    videos: Sequence[tuple[Path, VideoInfo]], spec: ClipSpec, bounds: Bounds
) -> list[Clip | VideoError]:
    """The clips of checked videos, the same as `read_clip` gives; several short ones are decoded by
    a process that stays, or share one.

    Args:
        videos: each with what `check_video` told of it.
        spec: which frames, at which size.
        bounds: limits of each decoder process.

    Returns:
        for each video its clip, or what `read_clip` raises for it.
    """
    answers: dict[int, Clip | VideoError] = {}
    together: list[_Placed] = []
    for at, (path, info) in enumerate(videos):
        if shares_a_process(info, spec):
            together.append((at, *_wanted(path, spec, bounds, info)))
        else:
            answers[at] = _alone(path, spec, bounds, info)
    # Of one alone, ffmpeg is as quick.
    if len(together) > 1:
        together = _left_by_decoder(together, bounds, answers)
    for start in range(0, len(together), TOGETHER):
        some = together[start : start + TOGETHER]
        try:
            decoded = decode([wanted for _, wanted, _ in some], bounds)
        except VideoError:
            # One of them is at fault, or all were too much for the bounds of one.
            answers |= {at: _alone(w.path, spec, bounds, w.info) for at, w, _ in some}
        else:
            for (at, wanted, places), frames in zip(some, decoded, strict=True):
                answers[at] = _clip(wanted, places, frames)
    return [answers[at] for at in range(len(videos))]


def _left_by_decoder(
    videos: list[_Placed], bounds: Bounds, answers: dict[int, Clip | VideoError]
) -> list[_Placed]:
    """Answer those that the process that stays can decode; return the others."""
    mine = [video for video in videos if takes(video[1])]
    left = [video for video in videos if not takes(video[1])]
    with closing(decoder().decode((wanted for _, wanted, _ in mine), bounds)) as decoded:
        for (at, wanted, places), frames in zip(mine, decoded, strict=True):
            if frames is None:
                left.append((at, wanted, places))
            elif isinstance(frames, VideoError):
                answers[at] = frames
            else:
                answers[at] = _clip(wanted, places, frames)
    return left


def shares_a_process(info: VideoInfo, spec: ClipSpec) -> bool:
    """Whether `read_clips` decodes a video together with others."""
    short = info.frames * info.width * info.height <= _SHORT
    plain = spec.region != "motion" and spec.sampler != "keyframes"
    return short and plain and is_rising(np.asarray(info.pts))


def _alone(path: Path, spec: ClipSpec, bounds: Bounds, info: VideoInfo) -> Clip | VideoError:
    try:
        return read_clip(path, spec, bounds, info=info)
    except VideoError as error:
        return error


def _wanted(
    path: Path, spec: ClipSpec, bounds: Bounds, info: VideoInfo
) -> tuple[Wanted, NDArray[np.int64]]:
    """What to decode, and int64 (T,), the place of each frame of the clip in it."""
    shown = np.asarray(info.pts, dtype=np.int64)
    told = told_times(path, info, bounds)

    def look(small: ClipSpec, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        taken, places = np.unique(np.minimum(indices, info.intact - 1), return_inverse=True)
        return decode([Wanted(path, info, small, WHOLE, told, taken)], bounds)[0][places]

    region = region_of(spec, info, look)
    among, alone = np.arange(info.frames), False
    if spec.sampler == "keyframes":
        among, alone = key_frames(path, info, bounds)
    indices = sampler(spec.sampler)(shown[among], float(Fraction(info.time_base)), spec)
    # Of a damaged video (see `reelflow.video.damage_policy`) the last whole frame stands for later
    # ones.
    whole = max(1, int(np.searchsorted(among, info.intact)))
    taken, places = np.unique(among[np.minimum(indices, whole - 1)], return_inverse=True)
    return Wanted(path, info, spec, region, told, taken, alone), places


def _clip(wanted: Wanted, places: NDArray[np.int64], frames: NDArray[np.uint8]) -> Clip:
    shown = np.asarray(wanted.info.pts)[wanted.indices[places]].astype(np.float64)
    seconds = shown * float(Fraction(wanted.info.time_base))
    if len(places) != len(frames):
        frames = frames[places]  # some come more than once
    if wanted.spec.crops > 1:
        frames = crops_of(frames, wanted.spec)
    return Clip(np.ascontiguousarray(frames), seconds)
