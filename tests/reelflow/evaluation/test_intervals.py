"""Intervals: SciPy's Wilson where groups say nothing, and as often right as they say they are."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from reelflow.evaluation.intervals import Bootstrap, Floats, Weight, draws

SETS = 500


def interval(right: Floats, sizes: Floats, bootstrap: Bootstrap) -> Floats:
    """Of shares of data sets (S, G) with groups of these sizes (G,), all at once: (2, S)."""
    counts = np.concatenate(list(draws(len(sizes), bootstrap)))
    drawn = counts @ right.T / (counts @ sizes)[:, None]
    behind = Weight.of(np.repeat(sizes[:, None], len(right), axis=1))
    return bootstrap.interval(right.sum(axis=1) / sizes.sum(), drawn, behind)


@pytest.mark.parametrize("right", [0, 20])
def test_for_none_or_all_of_single_videos_it_is_scipys_wilson(right: int) -> None:
    found = interval(np.full((1, 20), right / 20), np.ones(20), Bootstrap(100))
    expected = binomtest(right, 20).proportion_ci(method="wilson")
    assert found[:, 0] == pytest.approx(expected)


@pytest.mark.parametrize("right", [3, 10, 16])
def test_for_single_videos_it_is_nearly_scipys_wilson(right: int) -> None:
    each = np.repeat([1.0, 0.0], [right, 20 - right])[None]
    found = interval(each, np.ones(20), Bootstrap(4000))
    expected = binomtest(right, 20).proportion_ci(method="wilson")
    assert found[:, 0] == pytest.approx(expected, abs=0.015)


def test_without_a_mistake_a_group_counts_as_if_half_of_its_videos_agreed() -> None:
    found = interval(np.full((1, 10), 3.0), np.full(10, 3.0), Bootstrap(100))
    expected = binomtest(15, 15).proportion_ci(method="wilson")
    assert found[:, 0] == pytest.approx(expected)


def test_one_mistake_less_never_lowers_an_end() -> None:
    """Ten groups of four; the mistakes are added one by one, group after group."""
    right = np.full((20, 10), 4.0)
    for row in range(20):
        for mistake in range(row):
            right[row, mistake % 10] -= 1
    low, high = interval(right, np.full(10, 4.0), Bootstrap(2000))
    assert (np.diff(low) < 0.02).all()
    assert (np.diff(high) <= 1e-9).all()


def test_one_group_and_no_group_give_none() -> None:
    sizes = np.array([[5.0, 0.0, 2.0], [0.0, 0.0, 3.0]])
    found = Bootstrap().interval([0.5, np.nan, 0.5], np.full((9, 3), 0.5), Weight.of(sizes))
    assert np.isnan(found).any(axis=0).tolist() == [True, True, False]


# Groups, their sizes, how alike the videos of a group fare.
PLACES = [
    (20, [1], 0.0),
    (40, [1], 0.0),
    (10, [3], 0.1),
    (20, [4], 0.3),
    (30, [1, 2, 6], 0.2),
    (40, [5], 0.6),
    (8, [6], 0.6),
]


@pytest.mark.parametrize(("groups", "sizes", "alike"), PLACES)
def test_it_holds_the_truth_as_often_as_it_says(
    groups: int, sizes: list[int], alike: float
) -> None:
    """Over truths from 0.03 to 0.97: about 95 % each, and 93 to 97 % of all."""
    random, of_group = np.random.default_rng(0), np.resize(sizes, groups)
    held = []
    for truth in (0.03, 0.1, 0.3, 0.5, 0.8, 0.9, 0.97):
        shares = np.full((SETS, groups), truth)
        if alike:
            spread = (1 - alike) / alike
            shares = random.beta(truth * spread, (1 - truth) * spread, (SETS, groups))
        right = random.binomial(of_group, shares).astype(float)
        low, high = interval(right, of_group.astype(float), Bootstrap(400))
        held.append(((low <= truth) & (truth <= high)).mean())
    assert min(held) > 0.89, held
    assert 0.93 < np.mean(held) < 0.97, held


@pytest.mark.parametrize(("groups", "alike"), [(3, 0.3), (4, 0.6)])
def test_below_five_groups_it_is_rather_too_wide(groups: int, alike: float) -> None:
    random, spread, held = np.random.default_rng(2), (1 - alike) / alike, []
    for truth in (0.02, 0.1, 0.3, 0.5, 0.8, 0.95):
        shares = random.beta(truth * spread, (1 - truth) * spread, (SETS, groups))
        right = random.binomial(6, shares).astype(float)
        low, high = interval(right, np.full(groups, 6.0), Bootstrap(400))
        held.append(((low <= truth) & (truth <= high)).mean())
    assert min(held) > 0.87, held
    assert np.mean(held) > 0.95, held


@pytest.mark.parametrize(("groups", "truth"), [(5, 0.02), (6, 0.98)])
def test_of_few_groups_it_is_careful(groups: int, truth: float) -> None:
    random = np.random.default_rng(1)
    shares = random.beta(2 * truth, 2 * (1 - truth), (SETS, groups))
    right = random.binomial(6, shares).astype(float)
    low, high = interval(right, np.full(groups, 6.0), Bootstrap(400))
    assert ((low <= truth) & (truth <= high)).mean() > 0.93
