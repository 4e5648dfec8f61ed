"""Explaining one video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reelflow.base.errors import DataError
from reelflow.explain.explainable_model import Floats, Look, Subject
from reelflow.explain.occlusion import moments, occlusion_map, spread

OCCLUSION = "occlusion"


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
    maps = maps_of(subject, look, target)
    runs, falls = moments(subject, look, target)
    return Explanation(look, answer, target, maps, runs, falls, subject.features(look))


def maps_of(subject: Subject, look: Look, target: int) -> dict[str, Floats]:
    """The maps of a video for a class, by name, as `Explanation` holds them."""
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
