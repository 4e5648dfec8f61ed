"""The page of a cross-validation: how well a network does on groups that it has not seen.

`render` takes values and returns the whole page as text, made as `reelflow.reports.page` makes
pages. The same values give the same bytes.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from reelflow.base.words import count, interval, percent
from reelflow.reports import page

# Of the classes and groups that are hardest, so many are shown.
MOST = 12
FEW_GROUPS = 10


def render(
    figures: Mapping[str, Any],
    folds: pd.DataFrame,
    answers: pd.DataFrame,
    params: Mapping[str, Any],
) -> str:
    """The page as HTML.

    Args:
        figures: what `reelflow.crossval.figures.figures` returned, with `network`, `made` (how
            folds were made), `interval_confidence`, `untested` (videos without an answer) and
            `without_pictures` (`share`, `low`, `high` of what file properties alone give, or None).
        folds: from `reelflow.crossval.figures.by_fold`.
        answers: from `reelflow.crossval.figures.answers_of`.
        params: the settings of the training.
    """
    sections: dict[str, Any] = {
        "headline": {"headline": headline(figures), "summary": summary(figures)},
        "warnings": {"warnings": warnings(figures, answers)},
        "folds": {"rows": folds.to_dict("records")},
        "hardest": {name: _weakest(answers, name) for name in ("label", "group")},
        "method": {"params": params},
    }
    return page.render(Path(__file__).parent, "Cross-validation", sections, figures=figures)


def headline(figures: Mapping[str, Any]) -> str:
    """The outcome in a line."""
    low, least = figures["balanced_accuracy_low"], figures["baseline_balanced_accuracy"]
    if low is not None and low > least:
        return f"Right for {percent(figures['accuracy'])} of videos of unseen groups"
    return "Not shown to beat a constant answer on unseen groups"


def summary(figures: Mapping[str, Any]) -> list[str]:
    """The figures behind it, a sentence each."""
    said = [
        f"{figures['network']} was trained {count(figures['folds'], 'time')} ({figures['made']}), "
        f"and each time judged on groups that it had not seen, {count(figures['videos'], 'video')} "
        f"of {count(figures['groups'], 'group')} in all: an accuracy of "
        f"{percent(figures['accuracy'])} ({figures['interval_confidence']:.0%} interval "
        f"{interval(dict(figures), 'accuracy')})."
    ]
    if figures["accuracy_deviation"] is not None:
        said.append(
            f"Between {figures['between']} it varies with a standard deviation of "
            f"{100 * figures['accuracy_deviation']:.1f} points."
        )
    said.append(
        "Always answering the commonest class would be right for "
        f"{percent(figures['baseline_accuracy'])}."
    )
    return said


def warnings(figures: Mapping[str, Any], answers: pd.DataFrame) -> list[str]:
    """What a person must know before trusting it, a sentence each."""
    said = []
    if figures["groups"] < FEW_GROUPS:
        said.append(
            f"There are only {count(figures['groups'], 'group')}: the interval is rough, and "
            "repeats do not make it better. Videos of other groups do."
        )
    if answers["group"].isna().any():
        said.append(
            "Some videos have no known group. If several clips come from one source, they may "
            "stand on both sides of a fold, and every figure here is too good."
        )
    files = figures["without_pictures"]
    low = figures["balanced_accuracy_low"]
    if files and low is not None and files["share"] >= low:
        said.append(
            "It is not shown that this is better than file properties alone, without any picture, "
            f"which give {percent(files['share'])}: cameras and programs may have been learned."
        )
    if figures["untested"]:
        said.append(
            f"{count(figures['untested'], 'video')} could not be judged, since nothing could be "
            "embedded of them."
        )
    return said


def _weakest(answers: pd.DataFrame, by: str) -> list[dict[Hashable, Any]]:
    """The share of right answers of each class or group, the least first."""
    table = (
        answers.dropna(subset=by)
        .groupby(by)
        .agg(right=("right", "mean"), videos=("hash", "nunique"))
    )
    table = table.sort_values("right", kind="stable").head(MOST)
    return table.rename_axis("name").reset_index().to_dict("records")
