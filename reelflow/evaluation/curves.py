"""ROC and precision-recall curves of each class against the rest, their areas, how sure each is.

Points and areas are scikit-learn's. The intervals of areas are those of
`reelflow.evaluation.intervals`, with the same draws as in `reelflow.evaluation.metrics`: a drawn
group counts each of its videos as often as it was drawn. A ROC area rests on the fewer of the
videos of the class and the others, and on the fewer of their groups; an average precision on the
videos of the class.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.evaluation.intervals import Bootstrap, Floats, Weight, draws
from reelflow.evaluation.metrics import DIGITS, Ints, group_codes, number

# Points of one curve: more cannot be told apart on a screen, and make files large.
CURVE_POINTS = 200
AREAS = ("roc_auc", "average_precision")


@dataclass(frozen=True)
class Curves:
    """Curves and areas of the classes that the test can tell from others.

    Attributes:
        roc: label, fpr, tpr, from left to right.
        pr: label, recall, precision, from left to right.
        areas: by label `roc_auc` and `average_precision`, each with `_low` and `_high`; NaN
            where undefined.
        macro: their means over the classes that have one, by the same names.
    """

    roc: pd.DataFrame
    pr: pd.DataFrame
    areas: pd.DataFrame
    macro: dict[str, float]


def curves(
    targets: Ints,
    probabilities: NDArray[Any],
    groups: Sequence[Any],
    labels: Sequence[str],
    bootstrap: Bootstrap,
) -> Curves:
    """Curves of each class, and their areas with intervals.

    Args:
        targets: int (N,), true class numbers.
        probabilities: float (N, K).
        groups: (N,), the group of each video, or None.
        labels: the K class names.
        bootstrap: how the intervals are made. Fewer than two groups of the class, or of the others,
            give none (NaN).

    A class without a test video, or without a test video of another class, has no curve.
    """
    codes = group_codes(groups)
    names = [f"{area}{end}" for area in AREAS for end in ("", "_low", "_high")]
    areas = pd.DataFrame(np.nan, index=pd.Index(labels, name="label"), columns=names)
    roc, pr = [], []
    behind, drawn = [], []
    for i, label in enumerate(labels):
        actual = targets == i
        if actual.all() or not actual.any():
            continue
        one = _OneClass(actual, probabilities[:, i], codes, bootstrap)
        roc.append(one.roc.assign(label=label))
        pr.append(one.pr.assign(label=label))
        drawn.append(one.areas)
        behind.append(one.behind)
        low, high = bootstrap.interval([one.area[area] for area in AREAS], one.areas, one.behind)
        for at, area in enumerate(AREAS):
            areas.loc[label, [area, f"{area}_low", f"{area}_high"]] = (
                one.area[area], low[at], high[at],
            )  # fmt: skip
    return Curves(
        _joined(roc, "label", "fpr", "tpr"),
        _joined(pr, "label", "recall", "precision"),
        areas,
        _macro(areas, drawn, behind, bootstrap),
    )


def with_areas(scores: dict[str, Any], found: Curves) -> dict[str, Any]:
    """The figures of `metrics.evaluate` and these: JSON values, None where undefined."""
    per_class = {
        label: {
            **figures,
            **{str(name): number(value) for name, value in found.areas.loc[label].items()},
        }
        for label, figures in scores["per_class"].items()
    }
    macro = {f"macro_{name}": number(value) for name, value in found.macro.items()}
    return {**scores, **macro, "per_class": per_class}


class _OneClass:
    """One class against the rest."""

    def __init__(
        self, actual: NDArray[np.bool_], score: NDArray[Any], codes: Ints, bootstrap: Bootstrap
    ) -> None:
        from sklearn import metrics as sk

        fpr, tpr, _ = sk.roc_curve(actual, score)
        precision, recall, _ = sk.precision_recall_curve(actual, score, drop_intermediate=True)
        self.roc = _thinned({"fpr": fpr, "tpr": tpr})
        self.pr = _thinned({"recall": recall[::-1], "precision": precision[::-1]})
        self.area = {
            "roc_auc": sk.roc_auc_score(actual, score),
            "average_precision": sk.average_precision_score(actual, score),
        }
        order = np.argsort(-score, kind="stable")
        # Videos of equal score pass a threshold together.
        last = np.append(np.diff(score[order]) != 0, True)
        parts = [np.full((0, len(AREAS)), np.nan)]
        self.behind = _behind(actual, codes)
        if self.behind.groups.min() > 1:
            for counts in draws(codes.max() + 1, bootstrap, width=len(codes)):
                weight = counts[:, codes[order]]
                hits = np.cumsum(weight * actual[order], axis=1)[:, last]
                misses = np.cumsum(weight * ~actual[order], axis=1)[:, last]
                parts.append(_resampled(hits, misses))
        self.areas = np.concatenate(parts)


def _resampled(hits: Floats, misses: Floats) -> Floats:
    """The areas of R resamplings, (R, 2).

    `hits` and `misses`, float (R, M), count videos of the class and of others above each of M
    falling thresholds. A resampling without one of the two is NaN.
    """
    start = np.zeros((len(hits), 1))
    with np.errstate(invalid="ignore"):
        tpr = np.hstack([start, hits / hits[:, -1:]])
        fpr = np.hstack([start, misses / misses[:, -1:]])
        # Where nothing was guessed yet there is nothing to be wrong about.
        seen = hits + misses
        precision = np.where(seen > 0, hits / np.maximum(seen, 1), 1.0)
    whole = (hits[:, -1] > 0) & (misses[:, -1] > 0)
    areas = np.stack(
        [np.trapezoid(tpr, fpr, axis=1), (np.diff(tpr, axis=1) * precision).sum(axis=1)], axis=1
    )
    areas[~whole] = np.nan
    return areas


def _behind(actual: NDArray[np.bool_], codes: Ints) -> Weight:
    """What the two areas of a class rest on."""
    ours, others = (Weight.of(np.bincount(codes[them]).astype(float)) for them in (actual, ~actual))
    fewer = min(ours, others, key=lambda weight: float(weight.videos))
    groups = np.minimum(ours.groups, others.groups)
    return Weight(
        np.array([fewer.videos, ours.videos]),
        np.array([groups, groups]),
        np.array([fewer.a_group, ours.a_group]),
    )


def _macro(
    areas: pd.DataFrame, drawn: list[Floats], behind: list[Weight], bootstrap: Bootstrap
) -> dict[str, float]:
    """The means, with an interval where every class has one."""
    macro = {area: float(areas[area].mean()) for area in AREAS}
    ends = np.full((2, len(AREAS)), np.nan)
    if behind and all(weight.groups.min() > 1 for weight in behind):
        mean = _mean(drawn)
        for at, area in enumerate(AREAS):
            videos, groups, a_group = (
                np.array([getattr(weight, name)[at] for weight in behind])
                for name in ("videos", "groups", "a_group")
            )
            weight = Weight(videos, groups, a_group)
            whole = Weight(weight.videos.sum(), groups.min(), a_group.max())
            ends[:, at] = bootstrap.interval(macro[area], mean[:, at], weight.mean(whole))
    for at, area in enumerate(AREAS):
        macro |= {f"{area}_low": float(ends[0, at]), f"{area}_high": float(ends[1, at])}
    return macro


def _mean(parts: list[Floats]) -> Floats:
    """Over the classes of each resampling, of those that it holds."""
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        return np.asarray(np.nanmean(np.stack(parts), axis=0))


def _thinned(points: dict[str, Floats]) -> pd.DataFrame:
    table = pd.DataFrame(points).round(DIGITS)
    keep = np.linspace(0, len(table) - 1, min(len(table), CURVE_POINTS)).round().astype(int)
    return table.iloc[keep].reset_index(drop=True)


def _joined(parts: list[pd.DataFrame], *columns: str) -> pd.DataFrame:
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table[list(columns)]
