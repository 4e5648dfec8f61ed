"""The tables of the report: values in, rows in the order of reading out."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from reelflow.base.split_names import SPLITS
from reelflow.evaluation.metrics import AREAS
from reelflow.evaluation.verdict import in_words
from reelflow.reports.evaluation_report.content import Evaluation

MISTAKES = 6
# These two are no shares of right answers, and stand elsewhere.
APART = ("kappa", "brier")


def figures(evaluation: Evaluation) -> list[str]:
    """The figures of the whole test: those that runs are compared by, then the others."""
    scores = evaluation.scores
    known = [name for name in scores if f"{name}_low" in scores and "macro_" not in name]
    names = dict.fromkeys([*scores["compared"], *known])
    return [name for name in names if name not in APART and scores[name] is not None]


def of_classes(evaluation: Evaluation) -> dict[str, str]:
    """The figures of each class but the recall and the areas under curves, which stand apart."""
    figures = next(iter(evaluation.scores["per_class"].values()))
    names = [name for name in figures if f"{name}_low" in figures]
    return {name: in_words(name) for name in names if name not in ("recall", *AREAS)}


def splits(evaluation: Evaluation) -> pd.DataFrame:
    """Videos of each class in each split: a row a label, columns train, validation, test, all."""
    every = pd.concat(evaluation.splits, names=["split"]).reset_index("split")
    table = pd.crosstab(every["label"], every["split"])
    table = table.reindex(index=evaluation.labels, columns=list(SPLITS), fill_value=0)
    return table.assign(all=table.sum(axis=1))


def groups(evaluation: Evaluation) -> dict[str, int]:
    """Known groups of each split and of all."""
    known = {name: evaluation.splits[name]["known_group"] for name in SPLITS}
    return {name: of.nunique() for name, of in {**known, "all": pd.concat(known)}.items()}


def confusion(evaluation: Evaluation) -> pd.DataFrame:
    """The confusion matrix, a row an actual class, a column a predicted one."""
    answers = evaluation.predictions
    counts = pd.crosstab(answers["label"], answers["predicted"])
    return counts.reindex(index=evaluation.labels, columns=evaluation.labels, fill_value=0)


def mistakes(evaluation: Evaluation) -> list[dict[Hashable, Any]]:
    """The most common mistakes: `label`, `predicted`, `count`, the commonest first."""
    cells: Any = confusion(evaluation).stack()
    counts = cells.rename("count").reset_index()
    wrong = counts[(counts["label"] != counts["predicted"]) & (counts["count"] > 0)]
    ordered = wrong.sort_values("count", ascending=False, kind="stable")
    return ordered.head(MISTAKES).to_dict("records")
