"""Which candidates an average is made of: those under which left-out videos are most probable.

Greedy ensemble selection (Caruana et al., "Ensemble Selection from Libraries of Models", ICML
2004), as AutoGluon has it for tables: start with the candidate under which the videos that were
left out are most probable; then, again and again, take the one whose addition to the average makes
them most probable, a taken one too. Of the averages on the way the best is chosen, which may be
one candidate alone.

A probability is what scores give at their best temperature. Where all of a few videos are answered
rightly, that would be certainty, whoever answered; the smoothed targets of
`reelflow.training.temperature` still separate a wide lead from a narrow one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reelflow.training.temperature import smoothed

# How often a candidate is taken. AutoGluon takes as many.
ROUNDS = 25

Floats = NDArray[np.float64]


def select(
    found: Sequence[Floats], targets: NDArray[np.integer], weights: NDArray[np.floating]
) -> Floats:
    """What each of these scores (N, K) counts in the average; sums to 1.

    Args:
        found: float64 (N, K) each, of equal spread, of videos by the fold that left them out.
        targets: int (N,).
        weights: float (N,), what a video counts.
    """
    wanted = smoothed(targets, found[0].shape[1])
    alone = [temperature_of(scores, targets, weights) for scores in found]
    at = min(range(len(found)), key=lambda at: alone[at][1])
    temperature, best = alone[at]
    counts: Floats = np.eye(len(found))[at]
    total, chosen = found[at], counts.copy()
    for number in range(2, ROUNDS + 1):
        losses = [
            _loss(temperature * (total + scores) / number, wanted, weights) for scores in found
        ]
        at = int(np.argmin(losses))
        counts[at] += 1
        total = total + found[at]
        temperature, loss = temperature_of(total / number, targets, weights)
        if loss < best:
            best, chosen = loss, counts / number
    return chosen


def temperature_of(
    scores: Floats, targets: NDArray[np.integer], weights: NDArray[np.floating]
) -> tuple[float, float]:
    """The factor of scores (N, K) under which targets are most probable, and the cross-entropy."""
    from scipy.optimize import minimize_scalar

    wanted = smoothed(targets, scores.shape[1])

    def loss(exponent: float) -> float:
        return _loss(np.exp(exponent) * scores, wanted, weights)

    found = minimize_scalar(loss, bounds=(-3.0, 5.0), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def _loss(scores: Floats, wanted: Floats, weights: NDArray[np.floating]) -> float:
    """The weighted mean cross-entropy of scores (N, K) with probabilities (N, K)."""
    from scipy.special import log_softmax

    return float(-np.average((wanted * log_softmax(scores, axis=1)).sum(axis=1), weights=weights))
