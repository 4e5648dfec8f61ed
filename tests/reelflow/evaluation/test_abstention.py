"""Abstention: the curve by hand, thresholds that hold on other videos, and what is answered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from reelflow.evaluation.abstention import LEAST_ANSWERS, curve, measure, threshold
from reelflow.evaluation.intervals import Bootstrap
from reelflow.evaluation.sureness import measure as sureness

LABELS = ["a", "b"]


def answers(videos: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Targets and probabilities of a model whose confidence means what it says."""
    random = np.random.default_rng(seed)
    sure = random.uniform(0.5, 1.0, videos)
    right = random.random(videos) < sure
    answer = random.integers(2, size=videos)
    found = np.where(np.eye(2)[answer] > 0, sure[:, None], 1 - sure[:, None])
    return np.where(right, answer, 1 - answer), found


def test_the_curve_by_hand_with_equals_together() -> None:
    sure = np.array([0.9, 0.6, 0.8, 0.8])
    table = curve(sure, np.array([True, False, True, False]))
    assert table.values.tolist() == [[0.25, 1.0, 0.9], [0.75, 0.666667, 0.8], [1.0, 0.5, 0.6]]


def test_a_threshold_keeps_its_promise_on_other_videos() -> None:
    targets, found = answers(4000)
    least = threshold(found.max(axis=1), found.argmax(axis=1) == targets, wanted=0.9)
    assert least is not None
    others, asked = answers(4000, seed=1)
    chosen = measure(others, asked, [None] * 4000, Bootstrap(50), least)["chosen"]
    assert chosen["accuracy"] == pytest.approx(0.9, abs=0.02)
    # Of uniform confidences above a threshold t the mean is (1 + t) / 2.
    assert chosen["coverage"] == pytest.approx(0.4, abs=0.06)


def test_a_threshold_that_rests_on_few_answers_is_none() -> None:
    sure = np.linspace(0.5, 1, 100)
    right = np.arange(100) >= 100 - (LEAST_ANSWERS - 2)
    assert threshold(sure, right) is None
    enough = threshold(sure, np.arange(100) >= 100 - LEAST_ANSWERS, wanted=1.0)
    assert enough == pytest.approx(sure[100 - LEAST_ANSWERS], abs=1e-6)


def test_the_surest_answers_are_right_more_often_and_nothing_above_is_answered() -> None:
    targets, found = answers(400)
    groups = list(np.arange(400) // 4)
    told = measure(targets, found, groups, Bootstrap(50), 1.1)
    rows = told["by_coverage"]
    assert [row["coverage"] for row in rows] == [1.0, 0.9, 0.75, 0.5, 0.25]
    assert rows[-1]["accuracy"] > rows[0]["accuracy"] + 0.1
    assert all(row["accuracy_low"] < row["accuracy"] < row["accuracy_high"] for row in rows)
    assert told["chosen"] == {"coverage": 0.0, "confidence": 1.1}


def test_the_threshold_comes_from_the_videos_that_were_left_out() -> None:
    targets, found = answers(60)
    test = pd.DataFrame({"target": targets, "group": [None] * 60})
    right, known = answers(3000, seed=2)
    left_out = pd.DataFrame(known, columns=["p_a", "p_b"]).assign(target=right)
    with_it = sureness(test, found, found, LABELS, 1.0, left_out, Bootstrap(20))
    without = sureness(test, found, found, LABELS, 1.0, left_out.head(0), Bootstrap(20))
    assert with_it.abstention["chosen"]["confidence"] == pytest.approx(0.9, abs=0.03)
    assert without.abstention["chosen"] is None
    assert set(with_it.reliability["temperature"]) == {"without", "with"}
