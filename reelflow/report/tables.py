"""The tables of the report: values in, rows in the order of reading out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reelflow.metrics import Ints, confusion_matrix
from reelflow.report.content import SPLITS, Evaluation

MISTAKES = 6
FORMATS = 8
# Beyond so many classes a matrix is a wall of numbers; the most common mistakes say more.
MATRIX_CLASSES = 16
# A page is no file listing: the rest is in data/quarantine.csv.
SET_ASIDE_ROWS = 100


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
    names = {name: set(evaluation.splits[name]["group"].dropna()) for name in SPLITS}
    return {
        **{name: len(found) for name, found in names.items()},
        "all": len(set().union(*names.values())),
    }


def formats(evaluation: Evaluation) -> list[dict[str, Any]]:
    """The kinds of files, the commonest first; what is beyond `FORMATS` is one row."""
    manifest = evaluation.manifest
    kinds = (
        manifest.assign(
            kind=manifest["codec"].astype(str) + " in " + manifest["container"].map(_container),
            size=manifest["width"].astype(str) + " × " + manifest["height"].astype(str),
        )
        .groupby(["kind", "size"])
        .agg(videos=("fps", "size"), slowest=("fps", "min"), fastest=("fps", "max"))
        .reset_index()
        .sort_values(["videos", "kind", "size"], ascending=[False, True, True])
    )
    rows = [
        {
            "kind": row["kind"],
            "size": row["size"],
            "fps": _span(row["slowest"], row["fastest"]),
            "videos": row["videos"],
        }
        for row in kinds.head(FORMATS).to_dict("records")
    ]
    rest = kinds.iloc[FORMATS:]
    if len(rest):
        rows.append(
            {
                "kind": f"{len(rest)} others",
                "size": "",
                "fps": _span(rest["slowest"].min(), rest["fastest"].max()),
                "videos": int(rest["videos"].sum()),
            }
        )
    return rows


def durations(evaluation: Evaluation) -> dict[str, str]:
    """Shortest, median, longest and total length of the videos."""
    seconds = evaluation.manifest["duration"]
    return {
        "shortest": _length(seconds.min()),
        "median": _length(seconds.median()),
        "longest": _length(seconds.max()),
        "total": _length(seconds.sum()),
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


def _container(names: Any) -> str:
    """One of the names that libav gives to a family of containers: mov,mp4,m4a,… is mp4."""
    family = str(names).split(",")
    return "mp4" if "mp4" in family else family[0]


def _span(low: float, high: float) -> str:
    low, high = round(low, 2), round(high, 2)
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"


def _length(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"
