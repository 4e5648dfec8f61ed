"""How good are these predictions, and how sure is that? Functions of arrays, nothing else.

scikit-learn computes every figure. What is written here are the sums over *groups* that
`reelflow.evaluation.intervals` makes intervals of; a video whose group is unknown is its own.

Rules for what is undefined, so that no NaN reaches a file:
- a class without a test video has no figures (None) and is left out of every average over classes;
- the precision of a class that was never predicted is 0, as scikit-learn's `zero_division=0`;
- fewer than two groups (of the test, of a class, of what was called by its name) say nothing about
  other groups: no interval;
- a resampling without any video of a class is left out of that class's interval;
- k of the top-k accuracy is at most the number of classes, where it is 1 by definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.evaluation.intervals import DEFAULT, Bootstrap, Floats, Weight, draws

Ints = NDArray[np.int64]

DIGITS = 6


def group_codes(groups: Sequence[Any]) -> Ints:
    """Number the groups, int64 (N,). A video without a group (None, NA, "") gets its own number."""
    names = pd.Series(list(groups), dtype=object).replace("", None)
    codes = np.asarray(pd.factorize(names)[0], dtype=np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return codes


def confusion_matrix(targets: Ints, predicted: Ints, classes: int) -> Ints:
    """Counts, int64 (K, K): a row an actual class, a column a predicted one."""
    from sklearn.metrics import confusion_matrix as count

    return np.asarray(count(targets, predicted, labels=range(classes)), dtype=np.int64)


def top_k_hits(targets: Ints, probabilities: NDArray[Any], k: int) -> NDArray[np.bool_]:
    """Whether the true class is among the k most probable, bool (N,).

    Of equal ones the first comes first, as in `argmax`, so that top 1 is the accuracy.
    """
    ranked = np.argsort(-probabilities, axis=1, kind="stable")
    return np.asarray((ranked[:, :k] == targets[:, None]).any(axis=1))


def evaluate(
    targets: Ints,
    probabilities: NDArray[Any],
    groups: Sequence[Any],
    labels: Sequence[str],
    *,
    majority: int,
    top_k: int = 2,
    bootstrap: Bootstrap = DEFAULT,
) -> dict[str, Any]:
    """Every figure of the test, as JSON values rounded to six digits.

    Args:
        targets: int (N,), true class numbers. N is at least 1.
        probabilities: float (N, K), rows that sum to 1.
        groups: (N,), the group of each video, or None.
        labels: the K class names.
        majority: class number of the baseline, the most common class of the *training* videos.
        top_k: k of the top-k accuracy.
        bootstrap: how the `_low` and `_high` ends of the intervals are made.

    Returns:
        `accuracy`, `balanced_accuracy`, `macro_precision`, `macro_recall`, `macro_f1`, each with
        `_low` and `_high`; `top_k` with `k`, `accuracy`, `low`, `high`; `baseline_accuracy`,
        `baseline_balanced_accuracy` and `baseline_macro_f1`, of the constant answer; `videos`,
        `groups`, `classes_tested`; and `per_class`, by label: `precision`, `recall`, `f1` with
        ends, `support`, `groups`. See the module's docstring for what is None.
        `reelflow.evaluation.curves.with_areas` adds the figures of the curves.
    """
    classes = len(labels)
    k = min(top_k, classes)
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    hits = top_k_hits(targets, probabilities, k)
    codes = group_codes(groups)

    per_class = class_scores(targets, predicted, labels)
    tested = per_class.loc[per_class["support"] > 0]
    ends = intervals(targets, predicted, hits, codes, classes, bootstrap)
    if k == classes:
        ends["top_k"] = np.where(np.isnan(ends["top_k"]), np.nan, 1.0)
    overall = {
        "accuracy": float((targets == predicted).mean()),
        "balanced_accuracy": tested["recall"].mean(),
        **{f"macro_{name}": tested[name].mean() for name in ("precision", "recall", "f1")},
    }
    scores: dict[str, Any] = {
        **{name: number(value) for name, value in overall.items()},
        **{f"{name}{end}": v for name in overall for end, v in _ends(ends[name])},
        "top_k": {
            "k": k,
            "accuracy": number(hits.mean()),
            **{end.strip("_"): value for end, value in _ends(ends["top_k"])},
        },
        **_baselines(targets, majority, labels),
        "videos": len(targets),
        "groups": len(np.unique(codes)),
        "classes_tested": len(tested),
    }
    scores["per_class"] = {
        label: {
            **{name: number(value) for name, value in row.items()},
            **{
                f"{name}{end}": v
                for name in ("precision", "recall", "f1")
                for end, v in _ends(ends[f"class_{name}"][:, i])
            },
            "support": int(row["support"]),
            "groups": len(np.unique(codes[targets == i])),
        }
        for i, (label, row) in enumerate(per_class.iterrows())
    }
    return scores


def _baselines(targets: Ints, majority: int, labels: Sequence[str]) -> dict[str, float | None]:
    """What a constant answer reaches; balanced over the classes, any that is tested does."""
    constant = class_scores(targets, np.full_like(targets, majority), labels)
    tested = constant.loc[constant["support"] > 0]
    return {
        "baseline_accuracy": number((targets == majority).mean()),
        "baseline_balanced_accuracy": number(1 / len(tested)),
        "baseline_macro_f1": number(tested["f1"].mean()),
    }


def class_scores(targets: Ints, predicted: Ints, labels: Sequence[str]) -> pd.DataFrame:
    """scikit-learn's figures of each class against the rest, a row a label.

    Columns: precision, recall, f1 (NaN where undefined), support.
    """
    from sklearn.metrics import precision_recall_fscore_support

    precision, recall, f1, support = precision_recall_fscore_support(
        targets, predicted, labels=range(len(labels)), average=None, zero_division=0
    )
    table = pd.DataFrame(
        {"precision": precision, "recall": recall, "f1": f1}, index=pd.Index(labels, name="label")
    )
    table.loc[support == 0] = np.nan
    return table.assign(support=support)


def intervals(
    targets: Ints,
    predicted: Ints,
    hits: NDArray[np.bool_],
    groups: Ints,
    classes: int,
    bootstrap: Bootstrap,
) -> dict[str, Floats]:
    """Intervals that allow for groups, see `reelflow.evaluation.intervals`.

    All resamplings at once: every figure here is a ratio of sums over groups, so one matrix
    product (times each group was drawn) x (what each group adds) gives all of them. Costs about
    0.1 s for 1000 resamplings of 5000 videos.

    Args:
        targets, predicted: int (N,), class numbers below `classes`.
        hits: bool (N,), whether the top-k answer was right.
        groups: int (N,), from `group_codes`.

    Returns:
        By figure, float (2,): `accuracy`, `top_k`, `balanced_accuracy`, `macro_precision`,
        `macro_recall`, `macro_f1`; float (2, K): `class_precision`, `class_recall`, `class_f1`.
        NaN where fewer than two groups stand behind a figure.
    """
    additions = _additions(targets, predicted, hits, groups, classes)
    drawn = [_rates(counts @ additions, classes) for counts in draws(len(additions), bootstrap)]
    behind = _behind(additions, classes)
    return {
        name: bootstrap.interval(
            value[0], np.concatenate([rates[name] for rates in drawn]), behind[name]
        )
        for name, value in _rates(additions.sum(axis=0, keepdims=True), classes).items()
    }


def _additions(
    targets: Ints, predicted: Ints, hits: NDArray[np.bool_], groups: Ints, classes: int
) -> Floats:
    """What each group adds, (G, 3K + 1): right answers, videos and predictions a class; hits."""
    table = np.zeros((groups.max() + 1, 3 * classes + 1))
    right = targets == predicted
    np.add.at(table, (groups[right], targets[right]), 1)
    np.add.at(table, (groups, classes + targets), 1)
    np.add.at(table, (groups, 2 * classes + predicted), 1)
    table[:, -1] = np.bincount(groups, weights=hits, minlength=len(table))
    return table


def _behind(additions: Floats, classes: int) -> dict[str, Weight]:
    """The videos and groups that each figure of `_rates` rests on."""
    support, guesses = (additions[:, i * classes : (i + 1) * classes] for i in (1, 2))
    tested = support.any(axis=0)
    whole = Weight.of(support.sum(axis=1))
    by_class = {"precision": guesses, "recall": support, "f1": (support + guesses) / 2}
    return {
        "accuracy": whole,
        "top_k": whole,
        "balanced_accuracy": Weight.of(support[:, tested]).mean(whole),
        **{f"macro_{name}": Weight.of(s[:, tested]).mean(whole) for name, s in by_class.items()},
        **{f"class_{name}": Weight.of(sizes) for name, sizes in by_class.items()},
    }


def _rates(sums: Floats, classes: int) -> dict[str, Floats]:
    """The figures of each resampling from its sums (R, 3K + 1), as `_additions` lays them out."""
    right, support, guesses = (sums[:, i * classes : (i + 1) * classes] for i in range(3))
    videos = support.sum(axis=1)
    # A class that a resampling lacks is NaN there, and `nanmean` averages over the others.
    support = np.where(support > 0, support, np.nan)
    by_class = {
        "precision": np.where(np.isnan(support), np.nan, right / np.maximum(guesses, 1)),
        "recall": right / support,
        "f1": 2 * right / (support + guesses),
    }
    return {
        "accuracy": right.sum(axis=1) / videos,
        "top_k": sums[:, -1] / videos,
        "balanced_accuracy": np.nanmean(by_class["recall"], axis=1),
        **{f"macro_{name}": np.nanmean(values, axis=1) for name, values in by_class.items()},
        **{f"class_{name}": values for name, values in by_class.items()},
    }


def number(value: float) -> float | None:
    """As it stands in a file: six digits, None for NaN."""
    return None if np.isnan(value) else round(float(value), DIGITS)


def _ends(pair: Floats) -> list[tuple[str, float | None]]:
    return [("_low", number(pair[0])), ("_high", number(pair[1]))]
