"""Does a confidence mean what it says? Of answers given with 80 %, 80 % should be right.

The *expected calibration error* is the mean difference of confidence and accuracy over ten bins of
confidence, weighted by their videos (Guo et al., "On Calibration of Modern Neural Networks", ICML
2017). It is never zero on a few videos, however good the model: `by_chance` is the error that a
model with true confidences would show on as many (Bröcker and Smith, "Increasing the Reliability of
Reliability Diagrams", 2007).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.evaluation.answers import Ints
from reelflow.evaluation.intervals import Floats
from reelflow.evaluation.metrics import DIGITS, squared_distances

BINS = 10
_DRAWS = 500


def reliability(confidence: NDArray[Any], right: NDArray[np.bool_]) -> pd.DataFrame:
    """Bins of confidence that have a video: mean `confidence`, `accuracy`, and `videos`.

    Args:
        confidence: float (N,), of each answer, 0 to 1.
        right: bool (N,), whether it was right.
    """
    table = pd.DataFrame({"confidence": confidence, "accuracy": right}, dtype=float)
    by_bin = table.groupby(_bins(confidence))
    found = by_bin.mean().assign(videos=by_bin.size())
    return found.round(DIGITS).reset_index(drop=True)


def expected_error(confidence: NDArray[Any], right: NDArray[Any]) -> Floats:
    """The expected calibration error, of one set of answers or of each row.

    Args:
        confidence: float (N,).
        right: bool (N,) or (R, N).
    """
    bins = np.eye(BINS)[_bins(confidence)]
    gaps = (np.asarray(right, dtype=float) - np.asarray(confidence, dtype=float)) @ bins
    return np.asarray(np.abs(gaps).sum(axis=-1) / len(confidence))


def by_chance(confidence: NDArray[Any], seed: int = 0) -> float:
    """The error below which a model with true confidences stays on these videos in 95 % of
    draws, if each is independent of the others."""
    random = np.random.default_rng(seed)
    right = random.random((_DRAWS, len(confidence))) < confidence
    return float(np.quantile(expected_error(confidence, right), 0.95))


def measure(
    targets: Ints, before: NDArray[Any], after: NDArray[Any], temperature: float, seed: int = 0
) -> dict[str, Any]:
    """What the temperature changed on the test, as JSON values.

    Args:
        targets: int (N,), true class numbers.
        before, after: probabilities (N, K) without and with the temperature.
        temperature: what it is.
        seed: of the draws.
    """
    right, sure = after.argmax(axis=1) == targets, after.max(axis=1)
    figures = {
        "temperature": temperature,
        "error_before": expected_error(before.max(axis=1), right),
        "error": expected_error(sure, right),
        "error_by_chance": by_chance(sure, seed),
        "brier_before": squared_distances(targets, before).mean(),
        "brier": squared_distances(targets, after).mean(),
        "confidence": sure.mean(),
        "accuracy": right.mean(),
    }
    return {name: round(float(value), DIGITS) for name, value in figures.items()}


def _bins(confidence: NDArray[Any]) -> Ints:
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
