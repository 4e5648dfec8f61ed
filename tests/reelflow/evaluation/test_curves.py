"""Curves: scikit-learn is the truth for points and areas, a slow plain loop for the bootstrap."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from reelflow.evaluation import curves, intervals, metrics
from reelflow.evaluation.intervals import Bootstrap, Weight
from tests.reelflow.evaluation.test_metrics import LABELS, answers, one_hot


def drawn_of(targets: Any, scores: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    return curves.curves(targets, scores, LABELS[: scores.shape[1]])


def found_in(targets: Any, scores: Any, groups: Any = None, **options: Any) -> dict[str, Any]:
    groups = [None] * len(targets) if groups is None else groups
    labels = LABELS[: scores.shape[1]]
    options = {"majority": 0, "bootstrap": Bootstrap(20), "metrics": [metrics.areas], **options}
    return metrics.evaluate(targets, scores, groups, labels, **options)


def test_points_are_those_of_scikit_learn_from_left_to_right() -> None:
    targets, scores = answers(80, 4)
    roc, pr = drawn_of(targets, scores)
    fpr, tpr, _ = sk.roc_curve(targets == 1, scores[:, 1])
    found = roc[roc["label"] == "b"]
    assert found["fpr"].tolist() == pytest.approx(fpr, abs=1e-6)
    assert found["tpr"].tolist() == pytest.approx(tpr, abs=1e-6)
    found = pr[pr["label"] == "b"]
    assert found["recall"].is_monotonic_increasing
    precision, recall, _ = sk.precision_recall_curve(targets == 1, scores[:, 1])
    points = set(zip(recall.round(6), precision.round(6), strict=True))
    assert set(zip(found["recall"], found["precision"], strict=True)) <= points


def test_areas_are_those_of_scikit_learn() -> None:
    targets, scores = answers(200, 4)
    found = found_in(targets, scores)
    assert [found["per_class"]["c"][area] for area in metrics.AREAS] == pytest.approx(
        [
            sk.roc_auc_score(targets == 2, scores[:, 2]),
            sk.average_precision_score(targets == 2, scores[:, 2]),
        ],
        abs=1e-6,
    )
    expected = sk.roc_auc_score(targets, scores, multi_class="ovr")
    assert found["macro_roc_auc"] == pytest.approx(expected, abs=1e-6)


def test_curves_of_many_videos_are_thinned_and_keep_their_ends_and_area() -> None:
    targets, scores = answers(20_000, 2)
    roc, _ = drawn_of(targets, scores)
    found = roc[roc["label"] == "b"]
    assert len(found) == curves.CURVE_POINTS
    assert found.iloc[0][["fpr", "tpr"]].tolist() == [0, 0]
    assert found.iloc[-1][["fpr", "tpr"]].tolist() == [1, 1]
    area = sk.roc_auc_score(targets == 1, scores[:, 1])
    assert sk.auc(found["fpr"], found["tpr"]) == pytest.approx(area, abs=2e-3)


def test_a_test_of_one_class_has_no_curves() -> None:
    targets, scores = np.zeros(5, np.int64), one_hot([0, 1, 2, 3, 0])
    roc, pr = drawn_of(targets, scores)
    assert list(roc.columns) == ["label", "fpr", "tpr"]
    assert list(pr.columns) == ["label", "recall", "precision"]
    assert roc.empty
    assert pr.empty
    found = found_in(targets, scores)
    assert found["macro_roc_auc"] is found["per_class"]["a"]["roc_auc_low"] is None


def test_intervals_are_those_of_a_plain_loop_over_drawn_groups() -> None:
    targets, scores = answers(60, 3)
    scores = scores.round(1)  # ties
    groups = np.arange(60) % 9
    bootstrap = Bootstrap(150, 0.9, seed=5)
    row = found_in(targets, scores, groups, bootstrap=bootstrap)["per_class"]["b"]
    plain: list[list[float]] = []
    for counts in np.concatenate(list(intervals.draws(9, bootstrap))):
        chosen = np.concatenate(
            [np.repeat(np.flatnonzero(groups == g), int(n)) for g, n in enumerate(counts)]
        )
        actual, score = targets[chosen] == 1, scores[chosen, 1]
        plain.append([sk.roc_auc_score(actual, score), sk.average_precision_score(actual, score)])
    # Fewer videos are of the class than not: the area rests on them, as the precision does.
    behind = Weight.of(np.bincount(groups[targets == 1], minlength=9)[:, None].repeat(2, axis=1))
    low, high = bootstrap.interval([row[area] for area in metrics.AREAS], np.array(plain), behind)
    assert [row["roc_auc_low"], row["average_precision_low"]] == pytest.approx(low, abs=2e-6)
    assert [row["roc_auc_high"], row["average_precision_high"]] == pytest.approx(high, abs=2e-6)


def test_one_group_has_curves_and_no_intervals() -> None:
    targets, scores = answers(30, 2)
    found = found_in(targets, scores, ["one"] * 30)
    of_a = found["per_class"]["a"]
    assert of_a["roc_auc"] > 0
    assert (
        of_a["roc_auc_low"] is of_a["average_precision_high"] is found["macro_roc_auc_low"] is None
    )


def test_one_group_of_all_others_gives_no_interval() -> None:
    """What the others are like is then told by one source, however many have the class."""
    targets, scores = np.array([0, 0, 0, 0, 1, 1, 1]), answers(7, 2)[1]
    found = found_in(targets, scores, ["g", "h", "i", "j", "one", "one", "one"])
    assert {figures["roc_auc_low"] for figures in found["per_class"].values()} == {None}


def test_a_perfect_area_is_not_said_to_be_sure() -> None:
    targets = np.array([0, 1] * 10)
    found = found_in(targets, one_hot(targets.tolist(), 2).astype(float))
    of_a = found["per_class"]["a"]
    assert of_a["roc_auc"] == of_a["roc_auc_high"] == 1.0
    assert 0.7 < of_a["roc_auc_low"] < 0.9
    assert 0.7 < found["macro_roc_auc_low"] < 0.9


def test_parts_of_the_bootstrap_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    targets, scores = answers(40, 3)
    whole = found_in(targets, scores, bootstrap=Bootstrap(64))
    monkeypatch.setattr(intervals, "DRAWS_AT_ONCE", 7 * 40)
    parts = found_in(targets, scores, bootstrap=Bootstrap(64))
    assert parts == whole
