"""Times of frames: which is on screen when, and how long a video is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# int64 (N,), presentation times in the order shown, non-decreasing, in a unit of the file's own.
Times = NDArray[np.int64]


def shown_at(pts: Times, times: Times) -> NDArray[np.int64]:
    """The frame on screen at each time, int64 (T,); the first before it and the last after it."""
    shown: NDArray[np.int64] = np.searchsorted(pts, times, side="right").astype(np.int64) - 1
    np.clip(shown, 0, len(pts) - 1, out=shown)
    return shown


def is_rising(pts: Times) -> bool:
    """Whether each frame has a time of its own, after that of the one before."""
    return bool((np.diff(pts) > 0).all())


def span(pts: Times) -> int:
    """Time from the first frame to the end of the last, which is taken to last as the mean."""
    if len(pts) < 2:
        return 0
    first, last = int(pts[0]), int(pts[-1])
    return last - first + round((last - first) / (len(pts) - 1))
