"""Whether a map tells what it seems to tell.

- Weights drawn anew must change it (Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS
  2018): one that stays shows the video, not what was learned.
- Blanking first what it marks most must change the answer sooner than blanking in random order, and
  showing that first must bring the answer back sooner (deletion and insertion: Petsiuk, Das and
  Saenko, "RISE", BMVC 2018).
- Where a person knows where the thing is, the map should be there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.explain.explain_video import Explanation, maps_of
from reelflow.explain.explainable_model import Floats, Look, Shape3, Subject
from reelflow.explain.occlusion import gathered, grid_of, only_cells

# The absolute rank correlation with a map of random weights from which a map is called unmoved.
MOST_ALIKE = 0.5
# Shares of the cells at which the answer is asked for.
_STEPS = 5
# Orders with which deletion and insertion are compared: a random one, and its reverse.
_ORDERS = 2


def check(
    subject: Subject, found: Explanation, boxes: NDArray[np.floating] | None, seed: int
) -> dict[str, dict[str, Any]]:
    """Figures of each map.

    Args:
        subject, found: what was explained, and how.
        boxes: where the thing is, (T, 4), left, top, right, bottom in pixels of the frames.
        seed: of the random weights and orders.

    Returns:
        for each map `stages` (what of the weights was drawn anew, and the rank correlation with
        the map of then), `deletion_gain` and `insertion_gain` (areas, against random order; above
        nought is better), and `box_energy` (multiple of chance) or None.
    """
    look, target = found.look, found.target
    grid = grid_of(look, subject.grid)
    random = np.random.default_rng(seed)
    chance_order = random.permutation(int(np.prod(grid))).tolist()
    orders = [chance_order, chance_order[::-1]]
    orders += [by_map(values, grid) for values in found.maps.values()]
    under = areas(subject, look, target, orders, grid)
    chance = under[:_ORDERS].mean(axis=0)
    figures: dict[str, dict[str, Any]] = {}
    for name, (deletion, insertion) in zip(found.maps, under[_ORDERS:], strict=True):
        energy = None if boxes is None else energy_in_boxes(found.pixels(name), boxes)
        figures[name] = {
            "stages": {},
            "deletion_gain": float(chance[0] - deletion),
            "insertion_gain": float(insertion - chance[1]),
            "box_energy": energy,
        }
    for stage, other in subject.randomised(seed):
        for name, values in maps_of(other, look, target).items():
            figures[name]["stages"][stage] = rank_correlation(found.maps[name], values)
    return figures


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's, of two maps; 0 where one is the same everywhere."""
    from scipy.stats import spearmanr

    if min(np.ptp(one), np.ptp(other)) == 0:
        return 0.0
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def areas(
    subject: Subject, look: Look, target: int, orders: Sequence[Sequence[int]], grid: Shape3
) -> NDArray[np.float64]:
    """The areas under the probability of a class while cells are blanked, from the whole video to
    nothing, and while they are shown: its mean on the way, (O, 2), for each of several orders.

    Args:
        subject, look, target: whose probability of which class for what.
        orders: numbers of the cells of the grid, the first to go.
        grid: of cells in time, down and across.
    """
    size = int(np.prod(grid))
    counts = np.linspace(0, size, _STEPS + 1).round().astype(int)[1:-1]
    # What all curves begin and end with; then, for each order, what is left and what is shown.
    masks = [np.ones(size, bool), np.zeros(size, bool)]
    for order in orders:
        for left in (False, True):
            for count in counts:
                kept = np.full(size, not left)
                kept[np.asarray(order)[:count]] = left
                masks.append(kept)
    # What an order blanks last its reverse shows first: the same video.
    different, which = np.unique(masks, axis=0, return_inverse=True)
    shown = ((0, only_cells(look, kept.reshape(grid))) for kept in different)
    answers = subject.probabilities(look, shown)[:, target].astype(np.float64)
    chances = answers[which.ravel()]
    whole, nothing = chances[:2]
    courses = [
        ((whole, *deleted, nothing), (nothing, *inserted, whole))
        for deleted, inserted in chances[2:].reshape(len(orders), 2, len(counts))
    ]
    return np.trapezoid(courses, dx=1 / (len(counts) + 1))


def by_map(values: Floats, grid: Shape3) -> list[int]:
    """The cells of a grid from the highest value of a map to the lowest."""
    told = values if values.shape == grid else gathered(values, grid)
    return [int(cell) for cell in np.argsort(-told.ravel(), kind="stable")]


def energy_in_boxes(values: Floats, boxes: NDArray[np.floating]) -> float | None:
    """The share of what speaks for the answer that lies in a box, as multiple of chance.

    Args:
        values: (T, H, W); what is below nought does not count.
        boxes: (T, 4), left, top, right, bottom in pixels of the map.

    Returns:
        1 for a map that is the same everywhere; None if no box shows, or nothing speaks for it.
    """
    height, width = values.shape[1:]
    down, across = np.arange(height) + 0.5, np.arange(width) + 0.5
    left, top, right, bottom = (boxes[:, at, np.newaxis, np.newaxis] for at in range(4))
    within_rows = (down[:, np.newaxis] >= top) & (down[:, np.newaxis] < bottom)
    inside = within_rows & (across >= left) & (across < right)
    energy = np.maximum(values, 0).astype(np.float64)
    if not inside.any() or not energy.any():
        return None
    return float(energy[inside].sum() / energy.sum() / inside.mean())
