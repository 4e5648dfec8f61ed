"""The areas under the ROC and the precision-recall curve, of many resamplings at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.evaluation.intervals import Floats


def areas_under(actual: NDArray[np.bool_], score: NDArray[Any], weights: Floats) -> Floats:
    """Both areas of one class, (2, R); NaN for a resampling without it, or without others."""
    order = np.argsort(-score, kind="stable")
    # Videos of equal score pass a threshold together.
    last = np.append(np.diff(score[order]) != 0, True)
    # Videos of the class, and others, above each of the falling thresholds, (R, M).
    hits = np.cumsum(weights[:, order] * actual[order], axis=1)[:, last]
    misses = np.cumsum(weights[:, order] * ~actual[order], axis=1)[:, last]
    start = np.zeros((len(hits), 1))
    with np.errstate(invalid="ignore"):
        tpr = np.hstack([start, hits / hits[:, -1:]])
        fpr = np.hstack([start, misses / misses[:, -1:]])
        # Where nothing is predicted yet, nothing is wrong.
        seen = hits + misses
        precision = np.where(seen > 0, hits / np.maximum(seen, 1), 1.0)
    found = np.stack(
        [np.trapezoid(tpr, fpr, axis=1), (np.diff(tpr, axis=1) * precision).sum(axis=1)]
    )
    found[:, (hits[:, -1] == 0) | (misses[:, -1] == 0)] = np.nan
    return found
