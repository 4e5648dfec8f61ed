"""What a network sees of a clip that holds more than that.

Training sees one of V crops and one of M frames of each segment, drawn anew in every epoch. All
else sees the middle frame of each segment, in every crop, and takes the mean of the probabilities
(Wang et al., "Temporal Segment Networks", ECCV 2016; Feichtenhofer et al., "SlowFast
Networks", ICCV 2019, whose three crops these are).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelflow.store.clip_spec import Clip, ClipSpec

Frames = NDArray[np.uint8]


def crops_of(pictures: Frames, spec: ClipSpec) -> Frames:
    """Cut whole pictures into the crops of a clip, crop by crop: first, centre, last.

    Args:
        pictures: uint8 (K, H or more, W or more, 3).
        spec: of the clip.

    Returns:
        uint8 (V x K, H, W, 3).
    """
    down, across = pictures.shape[1] - spec.height, pictures.shape[2] - spec.width
    places = [(down * at // 2, across * at // 2) for at in range(3)]
    return np.concatenate(
        [pictures[:, y : y + spec.height, x : x + spec.width] for y, x in places[: spec.crops]]
    )


def drawn(frames: Frames, spec: ClipSpec, random: np.random.Generator) -> Frames:
    """One crop and one frame of each segment, at random; all frames have the same crop.

    Args:
        frames: uint8, of `spec.stored_shape`.
        spec: of the clip.
        random: not used if there is nothing to choose.

    Returns:
        uint8, of `spec.shape`.
    """
    laid = _laid_out(frames, spec)
    crop = random.integers(spec.crops) if spec.crops > 1 else 0
    if spec.choices == 1:
        return laid[crop, :, 0]
    chosen = random.integers(spec.choices, size=spec.frames)
    return laid[crop, np.arange(spec.frames), chosen]


def views(frames: Frames, spec: ClipSpec) -> Frames:
    """All that is seen outside of training: uint8 (V, *spec.shape)."""
    return _laid_out(frames, spec)[:, :, spec.choices // 2]


def frozen(views: Frames) -> Frames:
    """Of views (V, T, H, W, 3) the middle frame, T times."""
    length = views.shape[1]
    return np.repeat(views[:, length // 2][:, np.newaxis], length, axis=1)


def centre(frames: Frames, spec: ClipSpec) -> Frames:
    """The middle crop of `views`, uint8, of `spec.shape`."""
    return views(frames, spec)[spec.crops // 2]


def shown(clip: Clip, spec: ClipSpec) -> Clip:
    """`centre` of a clip, with its times."""
    times = clip.timestamps.reshape(spec.frames, spec.choices)[:, spec.choices // 2]
    return Clip(centre(clip.frames, spec), times)


def _laid_out(frames: Frames, spec: ClipSpec) -> Frames:
    """(V, T, M, H, W, 3), without a copy."""
    return frames.reshape(spec.crops, spec.frames, spec.choices, spec.height, spec.width, 3)
