"""Which frames of a video make a clip: samplers by name.

A sampler is a function of the times of the frames, so its choice does not depend on how a file
was encoded and needs no decoding. A new one is a function here and a line in
`reelflow.params.extract.Sampler`.

Every sampler takes `pts`, int64 (N,), the presentation times of the frames in the order shown,
non-decreasing, in units of `unit` seconds. It returns int64 (T,), indices into them, non-decreasing
(`segments`: several times T). A frame counts for as long as it is shown, so a variable rate does
not skew the choice. Where a video has too few frames, some come more than once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelflow.video.frame_times import Times, shown_at, span

if TYPE_CHECKING:
    from reelflow.store.clip_spec import ClipSpec

Indices = NDArray[np.int64]


def uniform(pts: Times, unit: float, spec: ClipSpec) -> Indices:
    """The frames on screen at the centres of T equal segments of the video.

    Guarantee: one frame from each T-th of the video's time, whatever its rate and length.
    """
    del unit
    return shown_at(pts, _centres(pts, spec.frames))


def segments(pts: Times, unit: float, spec: ClipSpec) -> Indices:
    """M frames, `spec.per_segment`, of each of T equal segments of the video, evenly apart.

    Training draws one of each segment anew in every epoch, as temporal segment networks do (Wang et
    al., ECCV 2016); whatever is not training takes the middle one, the frame of `uniform`.
    Guarantee: a network sees one frame from each T-th of the video's time, in order. Returns T x M
    indices, segment by segment.
    """
    del unit
    return shown_at(pts, _centres(pts, spec.frames * spec.per_segment))


def keyframes(pts: Times, unit: float, spec: ClipSpec) -> Indices:
    """As `uniform`, from those frames alone that decode without their neighbours.

    The caller hands in the times of the key frames. Guarantee: nothing but key frames is decoded,
    which makes hours of video a matter of seconds; a frame may lie as far from the centre of its
    segment as key frames lie apart. For a video of fewer than T key frames some are repeated.
    """
    return uniform(pts, unit, spec)


def fps(pts: Times, unit: float, spec: ClipSpec) -> Indices:
    """T frames at `spec.rate` a second, around the middle of the video.

    Guarantee: the frames on screen at T times exactly 1 / rate apart, so that motion has the same
    scale in every video; never more than T of them, however long the video (the cap). A video
    shorter than T / rate shows its first and last frame for the times outside of it.
    """
    step = 1 / (spec.rate * unit)
    offsets = (np.arange(spec.frames) - (spec.frames - 1) / 2) * step
    middle = float(pts[0]) + span(pts) / 2
    return shown_at(pts, np.floor(middle + offsets).astype(np.int64))


def dense(pts: Times, unit: float, spec: ClipSpec) -> Indices:
    """Runs of frames `spec.stride` apart, one at the centre of each of `spec.places` segments.

    Guarantee: within a run no frame between is left out but by the stride, so that fine motion is
    seen as it was filmed; the T frames are T / places of each run, in the order of the video. A
    run that the video is too short for repeats the frame at the end that it runs over.
    """
    del unit
    length = spec.frames // spec.places
    middles = shown_at(pts, _centres(pts, spec.places))
    offsets = (np.arange(length) - (length - 1) // 2) * spec.stride
    chosen = (middles[:, None] + offsets).ravel()
    return np.sort(np.clip(chosen, 0, len(pts) - 1))


def _centres(pts: Times, count: int) -> Times:
    """Times of the centres of `count` equal segments."""
    return pts[0] + (2 * np.arange(count, dtype=np.int64) + 1) * span(pts) // (2 * count)
