"""Curves: scikit-learn is the truth for points and areas, a slow plain loop for the bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from reelflow.evaluation import curves, intervals
from reelflow.evaluation.intervals import Bootstrap, Weight
from tests.reelflow.evaluation.test_metrics import LABELS, answers, one_hot


def found_in(targets: Any, scores: Any, groups: Any = None, **options: Any) -> curves.Curves:
    groups = [None] * len(targets) if groups is None else groups
    labels = LABELS[: scores.shape[1]]
    return curves.curves(targets, scores, groups, labels, **{"bootstrap": Bootstrap(20), **options})


def test_points_are_those_of_scikit_learn_from_left_to_right() -> None:
    targets, scores = answers(80, 4)
    drawn = found_in(targets, scores)
    fpr, tpr, _ = sk.roc_curve(targets == 1, scores[:, 1])
    found = drawn.roc[drawn.roc["label"] == "b"]
    assert found["fpr"].tolist() == pytest.approx(fpr, abs=1e-6)
    assert found["tpr"].tolist() == pytest.approx(tpr, abs=1e-6)
    found = drawn.pr[drawn.pr["label"] == "b"]
    assert found["recall"].is_monotonic_increasing
    precision, recall, _ = sk.precision_recall_curve(targets == 1, scores[:, 1])
    points = set(zip(recall.round(6), precision.round(6), strict=True))
    assert set(zip(found["recall"], found["precision"], strict=True)) <= points


def test_areas_are_those_of_scikit_learn() -> None:
    targets, scores = answers(200, 4)
    drawn = found_in(targets, scores)
    assert drawn.areas.loc["c", ["roc_auc", "average_precision"]].tolist() == pytest.approx(
        [
            sk.roc_auc_score(targets == 2, scores[:, 2]),
            sk.average_precision_score(targets == 2, scores[:, 2]),
        ]
    )
    expected = sk.roc_auc_score(targets, scores, multi_class="ovr")
    assert drawn.macro["roc_auc"] == pytest.approx(expected)


def test_curves_of_many_videos_are_thinned_and_keep_their_ends_and_area() -> None:
    targets, scores = answers(20_000, 2)
    drawn = found_in(targets, scores, bootstrap=Bootstrap(2))
    found = drawn.roc[drawn.roc["label"] == "b"]
    assert len(found) == curves.CURVE_POINTS
    assert found.iloc[0][["fpr", "tpr"]].tolist() == [0, 0]
    assert found.iloc[-1][["fpr", "tpr"]].tolist() == [1, 1]
    area = sk.roc_auc_score(targets == 1, scores[:, 1])
    assert sk.auc(found["fpr"], found["tpr"]) == pytest.approx(area, abs=2e-3)


def test_a_test_of_one_class_has_no_curves() -> None:
    drawn = found_in(np.zeros(5, np.int64), one_hot([0, 1, 2, 3, 0]))
    assert list(drawn.roc.columns) == ["label", "fpr", "tpr"]
    assert list(drawn.pr.columns) == ["label", "recall", "precision"]
    assert drawn.roc.empty
    assert drawn.pr.empty
    assert drawn.areas.isna().all(axis=None)
    scores = {"per_class": {label: {} for label in LABELS}}
    assert curves.with_areas(scores, drawn)["macro_roc_auc"] is None


def test_intervals_are_those_of_a_plain_loop_over_drawn_groups() -> None:
    targets, scores = answers(60, 3)
    scores = scores.round(1)  # ties
    groups = np.arange(60) % 9
    bootstrap = Bootstrap(150, 0.9, seed=5)
    drawn = found_in(targets, scores, groups, bootstrap=bootstrap)
    plain: list[list[float]] = []
    for counts in np.concatenate(list(intervals.draws(9, bootstrap))):
        chosen = np.concatenate(
            [np.repeat(np.flatnonzero(groups == g), int(n)) for g, n in enumerate(counts)]
        )
        actual, score = targets[chosen] == 1, scores[chosen, 1]
        plain.append([sk.roc_auc_score(actual, score), sk.average_precision_score(actual, score)])
    row = drawn.areas.loc["b"]
    # Fewer videos are of the class than not: the area rests on them, as the precision does.
    behind = Weight.of(np.bincount(groups[targets == 1], minlength=9)[:, None].repeat(2, axis=1))
    low, high = bootstrap.interval(row[list(curves.AREAS)], np.array(plain), behind)
    assert [row["roc_auc_low"], row["average_precision_low"]] == pytest.approx(low)
    assert [row["roc_auc_high"], row["average_precision_high"]] == pytest.approx(high)


def test_one_group_has_curves_and_no_intervals() -> None:
    targets, scores = answers(30, 2)
    drawn = found_in(targets, scores, ["one"] * 30)
    assert drawn.areas.loc["a", "roc_auc"] > 0
    assert drawn.areas[["roc_auc_low", "average_precision_high"]].isna().all(axis=None)
    assert np.isnan(drawn.macro["roc_auc_low"])


def test_one_group_of_all_others_gives_no_interval() -> None:
    """What the others are like is then told by one source, however many have the class."""
    targets, scores = np.array([0, 0, 0, 0, 1, 1, 1]), answers(7, 2)[1]
    drawn = found_in(targets, scores, ["g", "h", "i", "j", "one", "one", "one"])
    assert drawn.areas["roc_auc_low"].isna().all()


def test_a_perfect_area_is_not_said_to_be_sure() -> None:
    targets = np.array([0, 1] * 10)
    drawn = found_in(targets, one_hot(targets.tolist(), 2).astype(float))
    assert drawn.areas.loc["a", "roc_auc"] == drawn.areas.loc["a", "roc_auc_high"] == 1.0
    assert 0.7 < drawn.areas.loc["a", "roc_auc_low"] < 0.9
    assert 0.7 < drawn.macro["roc_auc_low"] < 0.9


def test_parts_of_the_bootstrap_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    targets, scores = answers(40, 3)
    whole = found_in(targets, scores, bootstrap=Bootstrap(64))
    monkeypatch.setattr(intervals, "DRAWS_AT_ONCE", 7 * 40)
    parts = found_in(targets, scores, bootstrap=Bootstrap(64))
    np.testing.assert_allclose(whole.areas, parts.areas, rtol=1e-12)
    assert whole.roc.equals(parts.roc)
    assert whole.macro == pytest.approx(parts.macro, rel=1e-12)
