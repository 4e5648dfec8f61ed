"""How often do 95 % intervals hold the truth? `python -m benchmarks.intervals`: a minute.

500 simulated tests each of so many groups of six videos, which fare alike with an intraclass
correlation from 0 to 0.6, for truths from 0.02 to 0.98.
"""

from __future__ import annotations

import numpy as np

from reelflow.evaluation.intervals import Bootstrap, Weight, draws

SETS, VIDEOS = 500, 6
TRUTHS = (0.02, 0.05, 0.1, 0.3, 0.5, 0.8, 0.95, 0.98)


def main() -> None:
    """Print a row a number of groups and correlation: the share of each truth, and their mean."""
    for groups in (3, 4, 5, 6, 8, 10, 15, 20, 40):
        for alike in (0.0, 0.1, 0.3, 0.6):
            held = [share(groups, alike, truth) for truth in TRUTHS]
            print(groups, alike, np.round(held, 2), f"mean {np.mean(held):.3f}", flush=True)


def share(groups: int, alike: float, truth: float) -> float:
    """How many of the intervals hold the truth."""
    random = np.random.default_rng([groups, int(alike * 10), int(truth * 100)])
    sizes = np.full(groups, float(VIDEOS))
    shares = np.full((SETS, groups), truth)
    if alike:
        spread = (1 - alike) / alike
        shares = random.beta(truth * spread, (1 - truth) * spread, (SETS, groups))
    right = random.binomial(VIDEOS, shares).astype(float)
    bootstrap = Bootstrap(400)
    counts = np.concatenate(list(draws(groups, bootstrap)))
    drawn = counts @ right.T / (counts @ sizes)[:, None]
    behind = Weight.of(np.repeat(sizes[:, None], SETS, axis=1))
    low, high = bootstrap.interval(right.sum(axis=1) / sizes.sum(), drawn, behind)
    return float(((low <= truth) & (truth <= high)).mean())


if __name__ == "__main__":
    main()
