"""Calibration: scikit-learn's diagram, sums by hand, and models that are honest by construction."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from reelflow.evaluation.calibration import by_chance, expected_error, measure, reliability

RANDOM = np.random.default_rng(0)
SURE = RANDOM.uniform(0.5, 1.0, 400)
RIGHT = RANDOM.random(400) < SURE**2


def test_the_diagram_is_that_of_scikit_learn() -> None:
    found = reliability(SURE, RIGHT)
    accuracy, confidence = calibration_curve(RIGHT, SURE, n_bins=10)
    assert found["accuracy"].to_numpy() == pytest.approx(accuracy, abs=1e-6)
    assert found["confidence"].to_numpy() == pytest.approx(confidence, abs=1e-6)
    assert found["videos"].sum() == 400


def test_the_error_is_the_sum_by_hand() -> None:
    sure = np.array([0.65, 0.69, 0.81, 1.0])
    right = np.array([True, False, True, False])
    # Three bins: |1 - 1.34| / 4, |1 - 0.81| / 4, |0 - 1| / 4.
    assert expected_error(sure, right) == pytest.approx((0.34 + 0.19 + 1.0) / 4)
    assert expected_error(sure, np.stack([right, right])).shape == (2,)


@pytest.mark.parametrize(("power", "honest"), [(1.0, True), (2.0, False)])
def test_chance_tells_an_honest_model_from_one_that_boasts(power: float, honest: bool) -> None:
    random = np.random.default_rng(3)
    right = random.random((200, 400)) < SURE**power
    within = expected_error(SURE, right) <= by_chance(SURE)
    assert 0.9 < np.mean(within) < 0.99 if honest else np.mean(within) < 0.1


def test_the_figures_are_before_and_after() -> None:
    targets = np.array([0, 1, 1, 0])
    before = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    after = np.array([[0.75, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.25]])
    found = measure(targets, before, after, 3.0)
    assert found["error_before"] == 0.25
    assert found["error"] == 0.0
    assert found["brier_before"] == 0.25
    assert found["brier"] == pytest.approx((3 * 0.25**2 + 0.75**2) / 4)
    assert (found["confidence"], found["accuracy"], found["temperature"]) == (0.75, 0.75, 3.0)
