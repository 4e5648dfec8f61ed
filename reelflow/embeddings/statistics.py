"""Statistics of the feature maps of a clip, by name.

Each takes maps, float32 (T, h, w, C), of frames in order of time, T at least 1, and returns float32
(N,). A new one is a function here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Share of the cells of a map that count as active.
_ACTIVE = 0.05


def statistic(name: str, maps: Floats) -> Floats:
    """The statistic of this name, float32 (N,)."""
    found: Floats = globals()[name](maps)
    return found


def mean(maps: Floats) -> Floats:
    """What the clip shows: the mean over frames and cells, (C,)."""
    return np.asarray(maps.mean(axis=(0, 1, 2)))


def mean_abs_difference(maps: Floats) -> Floats:
    """How much the picture as a whole changes from frame to frame, (C,)."""
    return _mean_size(_lag(maps.mean(axis=(1, 2)), 1))


def local_differences(maps: Floats) -> Floats:
    """How much changes where most changes, (4 C,).

    Per channel the mean over its 5 % most active cells of the mean absolute difference at a lag of
    one frame, of two frames, and of the second difference; then `mean_abs_difference`. Zero where
    there are too few frames.
    """
    second = _lag(_lag(maps, 1), 1)
    changes = (_lag(maps, 1), _lag(maps, 2), second)
    local = [_most_active(_mean_size(change)) for change in changes]
    return np.concatenate([*local, mean_abs_difference(maps)])


def root_local_differences(maps: Floats) -> Floats:
    """The square roots of `local_differences`: a few large changes count for less."""
    return np.sqrt(local_differences(maps))


def _lag(values: Floats, frames: int) -> Floats:
    return values[frames:] - values[:-frames]


def _mean_size(changes: Floats) -> Floats:
    """The mean absolute value over time."""
    if not len(changes):
        return np.zeros(changes.shape[1:], np.float32)
    return np.asarray(np.abs(changes).mean(axis=0))


def _most_active(activity: Floats) -> Floats:
    """From (h, w, C) the mean of the largest values of each channel, (C,)."""
    cells = activity.reshape(-1, activity.shape[-1])
    count = max(1, round(_ACTIVE * len(cells)))
    return np.asarray(np.sort(cells, axis=0)[-count:].mean(axis=0))
