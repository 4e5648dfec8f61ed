"""The figures of a cross-validation, of the answers of its folds.

Each repeat answers every video once, from a model that saw none of its group. A figure is the mean
over repeats. How much it varies from one repeat to the next (the deviation) is the luck of dealing
groups into folds; how much it would vary with other groups is what the interval shows, which draws
whole groups anew, as that of a test does (`reelflow.evaluation.intervals`). Repeats add no videos,
so they do not make the interval narrower.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.crossval.folds import Fold
from reelflow.evaluation.answers import Answers, group_codes
from reelflow.evaluation.intervals import Bootstrap
from reelflow.evaluation.metrics import accuracy, number, recall, with_ends

METRICS = ("accuracy", "balanced_accuracy")


@dataclass(frozen=True)
class Answered:
    """What came of a fold.

    Attributes:
        fold: which.
        told: of its model: `network`, `parameters`, `core_seconds` (of all cores together),
            `best_epoch`, and `features` where they were chosen.
        videos: of those that were tested, in this order: hashes.
        probabilities: float (N, K), of these.
    """

    fold: Fold
    told: Mapping[str, Any]
    videos: list[str]
    probabilities: NDArray[Any]

    def right(self, actual: Mapping[str, str]) -> pd.Series[float]:
        """Whether each answer is right, 0 or 1, by true label.

        Args:
            actual: the label of every video there is, by hash.
        """
        names, labels = sorted(set(actual.values())), [actual[video] for video in self.videos]
        answers = [names[i] for i in self.probabilities.argmax(axis=1)]
        return pd.Series(np.equal(answers, labels), labels, dtype=float)

    def balanced_accuracy(self, actual: Mapping[str, str]) -> float:
        """The mean recall of the classes that are there."""
        return float(self.right(actual).groupby(level=0).mean().mean())


def answers_of(folds: Sequence[Answered], videos: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """A row a repeat and video: repeat, fold, hash, path, label, group, predicted, right,
    and `p_<label>` for each label."""
    known = videos.set_index("hash")
    parts = []
    for one in folds:
        asked = known.loc[one.videos, ["path", "label", "group"]].reset_index()
        asked.insert(0, "repeat", one.fold.repeat)
        asked.insert(1, "fold", one.fold.number)
        asked["predicted"] = [labels[i] for i in one.probabilities.argmax(axis=1)]
        asked["right"] = asked["predicted"] == asked["label"]
        columns = [f"p_{label}" for label in labels]
        parts.append(pd.concat([asked, pd.DataFrame(one.probabilities, columns=columns)], axis=1))
    return pd.concat(parts, ignore_index=True)


def by_fold(folds: Sequence[Answered], answers: pd.DataFrame) -> pd.DataFrame:
    """A row a fold: repeat, fold, groups, videos, the metrics, and facts on its model."""
    rows = []
    for one in folds:
        own = answers[(answers["repeat"] == one.fold.repeat) & (answers["fold"] == one.fold.number)]
        rows.append(
            {
                "repeat": one.fold.repeat,
                "fold": one.fold.number,
                "groups": len(one.fold.groups),
                "left_out": one.fold.groups[0] if len(one.fold.groups) == 1 else "",
                "videos": len(own),
                **_of(own),
                **one.told,
            }
        )
    return pd.DataFrame(rows)


def figures(answers: pd.DataFrame, labels: Sequence[str], bootstrap: Bootstrap) -> dict[str, Any]:
    """The figures over all folds, as JSON values.

    Args:
        answers: from `answers_of`.
        labels: the K class names.
        bootstrap: how intervals are made.

    Returns:
        Of each of `METRICS` the mean over repeats, `_deviation` (between repeats, None for one),
        `_low` and `_high` (None with fewer than two groups), `baseline_<name>` of the constant
        answer; `of_repeats`, `between` (what repeats are), `videos`, `groups`, `folds`, `repeats`.
    """
    repeats = [_of(own) for _, own in answers.groupby("repeat")]
    videos = answers.groupby("hash", sort=True).agg(
        right=("right", "mean"), label=("label", "first"), group=("group", "first")
    )
    targets = np.array([labels.index(label) for label in videos["label"]], np.int64)
    groups, shares = group_codes(list(videos["group"])), videos["right"].to_numpy(np.float64)
    asked = Answers(targets, np.zeros((len(videos), len(labels))), groups, shares=shares)
    ends = {each.name: each.values[1:] for each in with_ends(asked, bootstrap, (accuracy, recall))}
    found: dict[str, Any] = {}
    for name in METRICS:
        values = [repeat[name] for repeat in repeats]
        found[name] = number(float(np.mean(values)))
        found[f"{name}_deviation"] = (
            number(float(np.std(values, ddof=1))) if len(values) > 1 else None
        )
        found[f"{name}_low"], found[f"{name}_high"] = map(number, ends[name])
    dealt = len(answers[["repeat", "fold"]].drop_duplicates())
    commonest = videos["label"].value_counts(normalize=True)
    return {
        **found,
        "baseline_accuracy": number(float(commonest.max())),
        "baseline_balanced_accuracy": number(1 / len(commonest)),
        # Groups that are dealt make two folds at least; each official split is a fold alone.
        "between": "official splits" if dealt == len(repeats) else "repeats",
        "of_repeats": {name: [number(one[name]) for one in repeats] for name in METRICS},
        "videos": len(videos),
        "groups": len(np.unique(groups)),
        "folds": dealt,
        "repeats": len(repeats),
    }


def _of(answers: pd.DataFrame) -> dict[str, float]:
    """Each of `METRICS` for these answers, over the classes that are there."""
    recalls = answers.groupby("label")["right"].mean()
    return {"accuracy": answers["right"].mean(), "balanced_accuracy": recalls.mean()}
