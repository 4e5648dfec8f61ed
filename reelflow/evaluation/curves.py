"""Points of the ROC and precision-recall curves of each class against the rest, by scikit-learn.

The areas under them are metrics, see `reelflow.evaluation.metrics.areas`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from reelflow.base.evenly_spaced import evenly
from reelflow.evaluation.answers import Ints
from reelflow.evaluation.intervals import Floats
from reelflow.evaluation.metrics import DIGITS

# Points of one curve: a screen shows no more, and more make files large.
CURVE_POINTS = 200


def curves(
    targets: Ints, probabilities: NDArray[Any], labels: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """ROC (label, fpr, tpr) and precision-recall (label, recall, precision), from left to right.

    Args:
        targets: int (N,), true class numbers.
        probabilities: float (N, K).
        labels: the K class names.

    A class without a test video, or without a test video of another class, has no curve.
    """
    from sklearn import metrics as sk

    roc = [pd.DataFrame(columns=["label", "fpr", "tpr"])]
    pr = [pd.DataFrame(columns=["label", "recall", "precision"])]
    for i, label in enumerate(labels):
        actual, score = targets == i, probabilities[:, i]
        if actual.all() or not actual.any():
            continue
        fpr, tpr, _ = sk.roc_curve(actual, score)
        precision, recall, _ = sk.precision_recall_curve(actual, score, drop_intermediate=True)
        roc.append(_thinned(label, {"fpr": fpr, "tpr": tpr}))
        pr.append(_thinned(label, {"recall": recall[::-1], "precision": precision[::-1]}))
    return _joined(roc), _joined(pr)


def _thinned(label: str, points: dict[str, Floats]) -> pd.DataFrame:
    table = pd.DataFrame(
        {"label": label, **{name: at.round(DIGITS) for name, at in points.items()}}
    )
    return table.iloc[evenly(len(table), CURVE_POINTS)]


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """The first, which is empty, has the columns alone."""
    return pd.concat(parts[1:], ignore_index=True) if len(parts) > 1 else parts[0]
