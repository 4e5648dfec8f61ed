"""Two models on the same videos: which is better, by how much, and is that more than noise?

Videos that both answered are compared one by one, so what is hard for both cancels out. Videos of
one group fail together, so the groups are the sample: the variance of the difference comes from the
totals of the groups (linearisation, Cochran, Sampling Techniques, 1977, section 6.13), with
Student's quantile for as many groups. With few groups that differ, such an interval is too sure of
itself. So a second judgement stands beside it: the share of all ways to swap the two models within
groups that give a difference as large (a randomisation test, Fisher 1935; Noreen 1989). Only if
both agree is one called better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Metric = Literal["accuracy", "balanced_accuracy"]

# With at most so many groups that differ, all swaps are tried; with more, as many at random.
_ALL_OF = 14
_SWAPS = 20_000
# Sums of the same numbers in another order differ in their last bits.
_NOTHING = 1e-12


@dataclass(frozen=True)
class Paired:
    """How the second model compares with the first.

    Attributes:
        metric: accuracy or balanced_accuracy.
        videos, groups: what was compared.
        first, second: the figure of each, 0 to 1.
        difference: second less first; `low` and `high` its interval, None where the groups do not
            differ in it, so that there is no spread.
        p_value: the share of swaps with a difference as large, 0 to 1.
        gained, lost: videos that the second alone, and that the first alone, has right.
        better: `second`, `first`, or None: the difference is within noise.
    """

    metric: Metric
    videos: int
    groups: int
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    p_value: float
    gained: int
    lost: int
    better: Literal["first", "second"] | None


def compare(
    first: Bools,
    second: Bools,
    targets: NDArray[np.int64],
    groups: NDArray[np.int64],
    metric: Metric,
    confidence: float = 0.95,
    seed: int = 0,
) -> Paired:
    """Compare two models on the videos that both answered.

    Args:
        first, second: bool (N,), whether each answer is right. N is at least 1.
        targets: int (N,), the true class.
        groups: int (N,), the group of each video.
        metric: what is compared.
        confidence: of the interval, and 1 less the p-value under which one is called better.
        seed: of the random swaps.
    """
    # What counts the same: every video, or every class.
    strata = targets if metric == "balanced_accuracy" else np.zeros_like(targets)
    _, strata, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    weights: Floats = 1 / (len(sizes) * sizes[strata])

    def means(of: Bools | Floats) -> Floats:
        return (np.bincount(strata, of) / sizes).astype(np.float64)

    change = second.astype(np.float64) - first
    difference = float(weights @ change)
    names, of_group = np.unique(groups, return_inverse=True)
    totals = np.bincount(of_group, weights * change).astype(np.float64)
    # What a group has too much, compared with the mean of the videos that it holds.
    surplus = np.bincount(of_group, weights * (change - means(change)[strata])).astype(np.float64)
    low, high = _interval(difference, surplus, confidence)
    p_value = swapped(totals, seed)
    sure = low is None or high is None or low > 0 or high < 0
    better: Literal["first", "second"] | None = None
    if sure and p_value < 1 - confidence:
        better = "second" if difference > 0 else "first"
    return Paired(
        metric,
        len(targets),
        len(names),
        # Of a model without a mistake 1 to the bit, as no sum of weights is.
        float(means(first).mean()),
        float(means(second).mean()),
        difference,
        low,
        high,
        p_value,
        int((second & ~first).sum()),
        int((first & ~second).sum()),
        better,
    )


def _interval(
    difference: float, surplus: Floats, confidence: float
) -> tuple[float, float] | tuple[None, None]:
    """Around a difference, from what each group has too much of it, (G,)."""
    from scipy.special import stdtrit

    groups = len(surplus)
    if groups < 2 or np.abs(surplus).max() < _NOTHING:
        return None, None
    error = np.sqrt(groups / (groups - 1) * (surplus**2).sum())
    half = float(stdtrit(groups - 1, (1 + confidence) / 2) * error)
    return max(-1.0, difference - half), min(1.0, difference + half)


def swapped(totals: Floats, seed: int = 0) -> float:
    """The share of swaps of the two models within groups that differ as much as they do, given the
    part that each group has in their difference, (G,).

    As SciPy's `permutation_test`, which takes up to fifty times as long.
    """
    totals = totals[totals != 0]
    if not len(totals):
        return 1.0
    exact = len(totals) <= _ALL_OF
    if exact:
        numbers = np.arange(2 ** len(totals))
        signs = 1 - 2 * ((numbers[:, None] >> np.arange(len(totals))) & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1, 1], (_SWAPS, len(totals)))
    as_large = np.abs(signs @ totals) >= abs(totals.sum()) - _NOTHING
    if exact:
        return float(as_large.mean())
    return float((as_large.sum() + 1) / (len(signs) + 1))
