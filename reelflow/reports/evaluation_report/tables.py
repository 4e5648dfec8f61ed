"""The tables of the report: values in, rows in the order of reading out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reelflow.base.split_names import SPLITS
from reelflow.evaluation.answers import Ints
from reelflow.evaluation.metrics import AREAS
from reelflow.evaluation.verdict import in_words
from reelflow.reports.evaluation_report.content import Evaluation

MISTAKES = 6
# These two are no shares of right answers, and stand elsewhere.
APART = ("kappa", "brier")
# Beyond so many classes a matrix is a wall of numbers; the most common mistakes show more.
MATRIX_CLASSES = 16


def figures(evaluation: Evaluation) -> list[dict[str, Any]]:
    """A row a figure of the whole test: what runs are compared by, then the others."""
    scores = evaluation.scores
    others = [
        name
        for name in scores
        if f"{name}_low" in scores and "macro_" not in name and name not in APART
    ]
    return [
        {
            "title": in_words(name)[0].upper() + in_words(name)[1:],
            "value": scores[name],
            "low": scores[f"{name}_low"],
            "high": scores[f"{name}_high"],
            "baseline": scores["baseline_accuracy"] if name == "accuracy" else None,
        }
        for name in dict.fromkeys([*scores["compared"], *others])
        if scores[name] is not None
    ]


def of_classes(evaluation: Evaluation) -> dict[str, str]:
    """The figures of each class but the recall and the areas under curves, which stand apart."""
    figures = next(iter(evaluation.scores["per_class"].values()))
    names = [name for name in figures if f"{name}_low" in figures]
    return {name: in_words(name) for name in names if name not in ("recall", *AREAS)}


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
    """The confusion matrix, a row an actual class, a column a predicted one."""
    answers = evaluation.predictions
    found = pd.crosstab(answers["label"], answers["predicted"])
    labels = evaluation.labels
    return found.reindex(index=labels, columns=labels, fill_value=0).to_numpy(np.int64)
