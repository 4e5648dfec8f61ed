"""The tables of the report: values in, rows in the order of reading out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reelflow.base.split_names import SPLITS
from reelflow.evaluation.metrics import Ints, confusion_matrix
from reelflow.reports.evaluation_report.content import Evaluation

MISTAKES = 6
# Beyond so many classes a matrix is a wall of numbers; the most common mistakes say more.
MATRIX_CLASSES = 16


def splits(evaluation: Evaluation) -> pd.DataFrame:
    """Videos of each class in each split: a row a label, columns train, validation, test, all."""
    table = pd.DataFrame(
        {
            name: evaluation.splits[name]["label"].value_counts().reindex(evaluation.labels)
            for name in SPLITS
        },
        index=evaluation.labels,
    )
    table = table.fillna(0).astype(int)
    return table.assign(all=table.sum(axis=1))


def groups(evaluation: Evaluation) -> dict[str, int]:
    """Known groups of each split and of all."""
    names = {name: set(evaluation.splits[name]["known_group"].dropna()) for name in SPLITS}
    return {
        **{name: len(found) for name, found in names.items()},
        "all": len(set().union(*names.values())),
    }


def confusion(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Rows of the confusion matrix, or none beyond `MATRIX_CLASSES` classes.

    Each row: `label`, `support` and `cells` of `count`, `share` of the row and `right`.
    """
    if len(evaluation.labels) > MATRIX_CLASSES:
        return []
    counts = _counts(evaluation)
    return [
        {
            "label": label,
            "support": int(row.sum()),
            "cells": [
                {"count": int(n), "share": float(n / max(row.sum(), 1)), "right": i == j}
                for j, n in enumerate(row)
            ],
        }
        for i, (label, row) in enumerate(zip(evaluation.labels, counts, strict=True))
    ]


def mistakes(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The most common mistakes: `label`, `predicted`, `count`, `support`, the commonest first."""
    counts = _counts(evaluation)
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong.ravel(), kind="stable")[:MISTAKES]
    return [
        {
            "label": evaluation.labels[i],
            "predicted": evaluation.labels[j],
            "count": int(wrong[i, j]),
            "support": int(counts[i].sum()),
        }
        for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if wrong[i, j]
    ]


def _counts(evaluation: Evaluation) -> Ints:
    number = {label: i for i, label in enumerate(evaluation.labels)}
    actual, predicted = (
        np.asarray(evaluation.predictions[column].map(number), dtype=np.int64)
        for column in ("label", "predicted")
    )
    return confusion_matrix(actual, predicted, len(evaluation.labels))
