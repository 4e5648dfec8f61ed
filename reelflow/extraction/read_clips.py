"""The clip of a video: frames exactly as ffmpeg decodes them at their timestamps."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import VideoError
from reelflow.extraction import samplers
from reelflow.extraction.ffmpeg_decoder import decode, decoder_times, key_frames
from reelflow.extraction.pyav_decoder import decoder, takes
from reelflow.extraction.region import WHOLE, region_of
from reelflow.extraction.wanted_frames import Wanted
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.crops_and_segments import crops_of
from reelflow.video.check_by_decoding import VideoInfo, check_video
from reelflow.video.process_limits import Bounds


def read_clip(
    path: Path,
    spec: ClipSpec,
    bounds: Bounds | None = None,
    *,
    info: VideoInfo | None = None,
    among_many: bool = False,
) -> Clip:
    """Read the frames of a clip.

    Args:
        path: the video.
        spec: which frames, at which size.
        bounds: limits of each decoder process.
        info: what `check_video` found in this very file; without it the file is checked first,
            which costs decoding it to its end.
        among_many: whether this thread reads others: the process that stays then decodes short
            ones, which is quicker and gives the same.

    Returns:
        Clip of uint8 RGB, `spec.stored_shape`, with its seconds. Where a frame of a damaged video
        is not whole, the last whole one stands for it, with its own time.

    Raises:
        VideoError: as `check_video`; `changed` if the file is no longer what `info` says;
            `no_key_frames` if the sampler wants some and none is whole.
    """
    bounds = bounds or Bounds()
    info = info or check_video(path, bounds)
    wanted, places = _wanted(path, spec, bounds, info)
    frames = None
    if among_many and takes(wanted):
        frames = decoder().decode(wanted, bounds)
    if frames is None:
        frames = decode(wanted, bounds)
    shown = np.asarray(info.pts)[wanted.indices[places]].astype(np.float64)
    if len(places) != len(frames):
        frames = frames[places]  # some come more than once
    if spec.crops > 1:
        frames = crops_of(frames, spec)
    return Clip(np.ascontiguousarray(frames), shown * float(Fraction(info.time_base)))


def _wanted(
    path: Path, spec: ClipSpec, bounds: Bounds, info: VideoInfo
) -> tuple[Wanted, NDArray[np.int64]]:
    """What to decode, and int64 (T,), the place of each frame of the clip in it."""
    shown = np.asarray(info.pts, dtype=np.int64)
    times = decoder_times(path, info, bounds)

    def look(small: ClipSpec, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        taken, places = np.unique(np.minimum(indices, info.intact - 1), return_inverse=True)
        return decode(Wanted(path, info, small, WHOLE, times, taken), bounds)[places]

    region = region_of(spec, info, look)
    among, alone = np.arange(info.frames), False
    if spec.sampler == "keyframes":
        among, alone = key_frames(path, info, bounds)
    # In a damaged video (see `reelflow.video.damage_policy`) the last whole frame stands for later
    # ones.
    whole = int(np.searchsorted(among, info.intact))
    if not whole:
        which = "whole frames" if len(among) else "frames"
        reason = f"None of its {which} can be decoded without the others."
        raise VideoError(str(path), "no_key_frames", reason, "Set extract.sampler to uniform.")
    sampler = getattr(samplers, spec.sampler)
    indices = sampler(shown[among], float(Fraction(info.time_base)), spec)
    taken, places = np.unique(among[np.minimum(indices, whole - 1)], return_inverse=True)
    return Wanted(path, info, spec, region, times, taken, alone), places
