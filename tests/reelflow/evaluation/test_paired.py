"""Two models on the same videos: against figures by hand, SciPy, and simulations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from reelflow.evaluation.paired import compare

ONES = np.ones(1, bool)


def judged(
    first: list[int], second: list[int], groups: list[int] | None = None, **more: Any
) -> Any:
    count = len(first)
    targets = np.asarray(more.pop("targets", [0] * count))
    return compare(
        np.array(first, bool),
        np.array(second, bool),
        targets,
        np.asarray(groups if groups is not None else range(count)),
        more.pop("metric", "accuracy"),
        **more,
    )


def test_figures_and_flips_are_those_counted_by_hand() -> None:
    found = judged([1, 1, 0, 0, 1], [1, 0, 1, 1, 1], [0, 0, 1, 1, 2])
    assert (found.first, found.second) == (pytest.approx(0.6), pytest.approx(0.8))
    assert found.difference == pytest.approx(0.2)
    assert (found.gained, found.lost, found.videos, found.groups) == (2, 1, 5, 3)


def test_in_balanced_accuracy_every_class_counts_the_same() -> None:
    found = judged([1, 1, 1, 0], [0, 1, 1, 1], targets=[0, 0, 0, 1], metric="balanced_accuracy")
    assert found.first == pytest.approx(0.5)
    assert found.second == pytest.approx((2 / 3 + 1) / 2)


@pytest.mark.parametrize("classes", range(2, 12))
def test_no_mistake_is_one_to_the_bit_and_so_100_percent(classes: int) -> None:
    for size in range(1, 40):
        right, targets = [1] * (classes * size), list(range(classes)) * size
        found = judged(right, right, targets=targets, metric="balanced_accuracy")
        assert (found.first, found.second) == (1.0, 1.0)


def test_a_model_and_itself_are_equal_without_an_interval() -> None:
    found = judged([1, 0, 1, 1], [1, 0, 1, 1])
    assert (found.difference, found.low, found.high, found.p_value) == (0, None, None, 1)
    assert found.better is None


def test_with_a_video_a_group_it_is_the_paired_t_interval_and_the_sign_test() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.random((2, 40)) < [[0.5], [0.8]]
    found = judged(list(first), list(second))
    change = second.astype(float) - first
    expected = stats.ttest_1samp(change, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(expected)
    gained, lost = (change > 0).sum(), (change < 0).sum()
    assert found.p_value == pytest.approx(
        stats.binomtest(int(gained), int(gained + lost)).pvalue, abs=0.01
    )


def test_videos_of_one_group_are_one_witness() -> None:
    """Twenty videos gained in one of five groups are one event, in twenty groups they are proof."""
    first, second = [0] * 20 + [1] * 80, [1] * 100
    apart = judged(first, second)
    together = judged(first, second, [at // 20 for at in range(100)])
    assert apart.better == "second"
    assert together.better is None
    assert together.p_value == 1


def test_few_groups_that_differ_prove_nothing() -> None:
    assert judged([0] * 4 + [1], [1] * 5).better is None  # one way of sixteen, and its mirror
    assert judged([0] * 8 + [1], [1] * 9).better == "second"


def test_where_all_groups_differ_alike_there_is_no_spread_and_no_interval() -> None:
    found = judged([0] * 8, [1] * 8)
    assert (found.low, found.high, found.better) == (None, None, "second")
    assert judged([0] * 8, [1] * 8, [0] * 8).better is None


@pytest.mark.parametrize(("groups", "size"), [(8, 6), (30, 4)])
@pytest.mark.parametrize("lead", [0.0, 0.1])
def test_the_interval_holds_the_truth_as_often_as_it_says(
    groups: int, size: int, lead: float
) -> None:
    """1,000 pairs of models, each better at some groups than at others; 95 % intervals."""
    generator = np.random.default_rng(2)
    names = np.repeat(np.arange(groups), size)
    held = called = 0
    for _ in range(1000):
        skill = 0.6 + generator.uniform(-0.25, 0.25, (2, groups))[:, names]
        skill[1] += lead
        # What is hard for one is hard for the other.
        first, second = generator.random(groups * size) < skill
        found = judged(list(first), list(second), list(names))
        held += found.low is None or found.low <= lead <= found.high
        called += found.better is not None
    assert 930 < held < 980
    if not lead:
        assert called < 60
