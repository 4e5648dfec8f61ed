"""Learning curves: a power law by construction is prolonged, and a head learns by it."""

from __future__ import annotations

import numpy as np
import pytest

from reelflow.training.group_folds import group_folds
from reelflow.training.learning_curve import learning_curve, twice
from reelflow.training.ridge_head import fit_ridge_head

VIDEOS = np.array([50.0, 100.0, 200.0])


def test_a_power_law_is_prolonged() -> None:
    errors = 2 * VIDEOS**-0.5
    folds = np.stack([1 - errors * scale for scale in (0.9, 1.0, 1.1)], axis=1)
    found = twice(VIDEOS, folds)
    assert found["expected"] == pytest.approx(1 - 2 * 400**-0.5, abs=1e-3)
    assert found["low"] < found["expected"] < found["high"]


def test_where_videos_did_not_help_more_do_not_either() -> None:
    flat = np.array([[0.8, 0.7], [0.8, 0.7], [0.75, 0.7]])
    assert twice(VIDEOS, flat)["expected"] == pytest.approx(0.725)
    perfect = np.ones((3, 4))
    assert twice(VIDEOS, perfect)["expected"] == pytest.approx(0.999)


def test_a_head_on_weak_signals_learns_from_more_videos() -> None:
    random = np.random.default_rng(0)
    targets = np.arange(240) % 2
    groups = [f"g{number // 6}" for number in range(240)]
    features = random.normal(size=(240, 60)).astype(np.float32)
    features[:, :20] += 0.45 * (2 * targets[:, np.newaxis] - 1)
    equal, folds = np.ones(240), group_folds(targets, groups)
    head = fit_ridge_head({"a": features}, [("a",)], targets, groups, np.ones(2))
    curve = learning_curve({"a": features}, head, targets, groups, equal, folds, 0)
    assert curve is not None
    small, half, whole = (point["balanced_accuracy"] for point in curve["points"])
    assert small < half < whole
    assert whole <= curve["twice"]["expected"] <= 1
    assert [point["videos"] for point in curve["points"]] == pytest.approx([48, 96, 192], abs=3)


def test_of_a_few_groups_nothing_is_told() -> None:
    targets = np.arange(30) % 2
    groups = [f"g{number // 3}" for number in range(30)]
    features = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    head = fit_ridge_head({"a": features}, [("a",)], targets, groups, np.ones(2))
    folds = group_folds(targets, groups)
    assert learning_curve({"a": features}, head, targets, groups, np.ones(30), folds, 0) is None
