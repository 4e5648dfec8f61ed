"""Explaining one video, and checking the explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.explain.explainable_model import Floats, Look, Subject
from reelflow.explain.occlusion import grid_of, moments, occlusion_map, spread
from reelflow.explain.sanity_checks import areas, by_map, energy_in_boxes, rank_correlation

OCCLUSION = "occlusion"
# Orders with which deletion and insertion are compared: a random one, and its reverse.
_ORDERS = 2


@dataclass(frozen=True)
class Explanation:
    """What a model looked at in a video.

    Attributes:
        look: the video as the model saw it.
        probabilities: float32 (K,).
        target: the class that is explained.
        maps: float32 by name, what speaks for the class (above nought) and against it: `occlusion`
            in cells (t, rows, columns), the model's own (T, H, W).
        runs: of frames, and
        moments: float32, how much the log odds fall without each run.
        features: what the last layer read, (D,).
    """

    look: Look
    probabilities: Floats
    target: int
    maps: dict[str, Floats]
    runs: list[slice]
    moments: Floats
    features: Floats

    def pixels(self, name: str) -> Floats:
        """A map as (T, H, W)."""
        found = self.maps[name]
        return spread(found, self.look) if name == OCCLUSION else found


def explain(subject: Subject, look: Look, label: str = "") -> Explanation:
    """Explain the answer, or why not another.

    Args:
        subject: the model.
        look: the video, of `subject.look`.
        label: the class to be explained; by default the most probable one.

    Raises:
        DataError: the model knows no such label.
    """
    if label and label not in subject.labels:
        raise DataError(
            f"The model knows no label {label!r}; it knows {', '.join(subject.labels)}."
        )
    answer = subject.probabilities(look, [(0, look.frames[:1])])[0]
    target = subject.labels.index(label) if label else int(answer.argmax())
    maps = _maps(subject, look, target)
    runs, falls = moments(subject, look, target)
    return Explanation(look, answer, target, maps, runs, falls, subject.features(look))


def check(
    subject: Subject, found: Explanation, boxes: NDArray[np.floating] | None, seed: int
) -> dict[str, dict[str, Any]]:
    """Figures of each map: see `reelflow.explain.sanity_checks`.

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
        for name, values in _maps(other, look, target).items():
            figures[name]["stages"][stage] = rank_correlation(found.maps[name], values)
    return figures


def _maps(subject: Subject, look: Look, target: int) -> dict[str, Floats]:
    maps = {OCCLUSION: occlusion_map(subject, look, target)}
    if subject.own:
        maps[subject.own] = subject.own_map(look, target)
    return maps


def decisive(found: Explanation, most: int = 3) -> Sequence[tuple[float, float]]:
    """From when to when, in seconds, the frames that speak most for the class, in order of time."""
    best = sorted(int(at) for at in np.argsort(-found.moments)[:most] if found.moments[at] > 0)
    times = found.look.times
    return [
        (float(times[r.start]), float(times[r.stop - 1])) for r in map(found.runs.__getitem__, best)
    ]
