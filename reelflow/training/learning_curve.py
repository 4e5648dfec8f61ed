"""What would more videos give? A head learned from a quarter and from half of the groups, judged.

In each fold a head is fitted to a random part of the groups, with the features and the penalty that
were chosen for all, and judged on the videos that were left out. Errors of learners fall as a power
of the number of videos (Hestness et al., "Deep Learning Scaling is Predictable, Empirically", 2017;
Figueroa et al., BMC Medical Informatics 12, 2012): a straight line in logarithms, prolonged to
twice the videos. How far that may be wrong is measured by leaving out each fold in turn (the
jackknife).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.training.group_folds import Fold, balanced_accuracy
from reelflow.training.ridge_head import Floats, RidgeHead, fit_terms

_PARTS, _REPEATS = (0.25, 0.5), 3
# With fewer groups in a part the score is chance.
_LEAST_GROUPS = 4
_LEAST_ERROR = 1e-3


def learning_curve(
    blocks: Mapping[str, NDArray[np.floating]],
    head: RidgeHead,
    targets: NDArray[np.integer],
    groups: Sequence[str],
    weights: NDArray[np.floating],
    folds: Sequence[Fold],
    seed: int,
) -> dict[str, Any] | None:
    """`points` (videos, balanced accuracy) and the result of `twice`, as JSON values.

    Args:
        blocks: float (N, D) each, by name; those of the head among them.
        head: what was chosen for all videos.
        targets: int (N,).
        groups: (N,), what stands on one side of a fold.
        weights: float (N,), what a video counts.
        folds: those by which the head was chosen.
        seed: of the parts.

    Returns:
        None where there are too few groups.
    """
    random = np.random.default_rng(seed)
    names = np.asarray(groups)
    if len(set(groups)) * min(_PARTS) < _LEAST_GROUPS:
        return None
    classes = int(targets.max()) + 1

    def judged(fold: Fold, part: float) -> list[tuple[int, float]]:
        """Videos of random parts of the groups, and the accuracy on those left out; only of parts
        that have every class."""
        learned, left = fold
        there = np.unique(names[learned])
        found = []
        for _ in range(_REPEATS):
            taken = random.choice(there, max(1, round(part * len(there))), replace=False)
            known = learned[np.isin(names[learned], taken)]
            if len(np.unique(targets[known])) < classes:
                continue
            some = {name: blocks[name][known] for name in head.blocks}
            weight, bias = fit_terms(some, head.chosen.terms, targets[known], weights[known])
            scores = np.hstack([blocks[name][left] for name in head.blocks]) @ weight + bias
            found.append((len(known), balanced_accuracy(targets[left], scores)))
        return found

    videos, rows = [], []
    for part in _PARTS:
        found = [judged(fold, part) for fold in folds]
        if not all(found):
            return None
        counts, accuracies = np.array([np.mean(one, axis=0) for one in found]).T
        videos.append(float(counts.mean()))
        rows.append(list(accuracies))
    videos.append(float(np.mean([len(known) for known, _ in folds])))
    rows.append(list(head.chosen.of_folds))
    table = np.array(rows, dtype=float)
    points = [
        {"videos": round(count), "balanced_accuracy": round(float(row.mean()), 4)}
        for count, row in zip(videos, table, strict=True)
    ]
    return {"points": points, "twice": twice(np.array(videos), table)}


def twice(videos: Floats, accuracies: Floats) -> dict[str, float]:
    """The balanced accuracy of twice the most videos, and the ends of a 95 % range.

    Args:
        videos: (P,), rising.
        accuracies: (P, F), of each fold.
    """
    expected = _prolonged(videos, accuracies.mean(axis=1))
    count = accuracies.shape[1]
    without = [
        _prolonged(videos, np.delete(accuracies, fold, axis=1).mean(axis=1))
        for fold in range(count)
    ]
    error = np.sqrt((count - 1) * np.var(without))
    ends = {"expected": expected, "low": expected - 2 * error, "high": expected + 2 * error}
    return {name: round(float(np.clip(value, 0, 1)), 4) for name, value in ends.items()}


def _prolonged(videos: Floats, accuracies: Floats) -> float:
    errors = np.log(np.maximum(1 - accuracies, _LEAST_ERROR))
    slope = np.polyfit(np.log(videos), errors, 1)[0]
    # More videos do no harm; the last point is where it starts from.
    return float(1 - np.exp(errors[-1] + min(slope, 0.0) * np.log(2)))
