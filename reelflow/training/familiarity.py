"""Is a clip like anything that the model learned from? If not, its answer deserves no trust.

A classifier answers whatever it is shown, and is often sure. How far a clip lies from what was
learned is seen in the features that its last layer reads, in two ways; the larger counts. Each
class is a cloud around its mean, and all have the shape of the mean cloud (the Mahalanobis distance
of Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples", NeurIPS
2018): a clip of another world lies outside. And each class has scores of its own, of a linear
classifier of these features: those of a new class of the same world, which shares something with
several, are like those of none. What is learned of it, see `reelflow.training.fit_familiarity`;
this file travels with the registered model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelflow.base.files import replacing

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]

REJECTED = 0.05


@dataclass(frozen=True)
class Familiarity:
    """What the learned features looked like.

    Attributes:
        mean: float32 (D,), of the features.
        axes: float32 (D, d + K), from features minus mean to coordinates in which clouds are balls,
            and to the scores of the classes.
        centres: float32 (K, d + K), of the classes, in both.
        threshold: the distance that `REJECTED` of left-out videos exceed.
    """

    mean: Floats
    axes: Floats
    centres: Floats
    threshold: float = 1.0

    def places(self, features: Floats) -> Floats:
        """Where features (N, D) lie in the coordinates in which clouds are balls, (N, d)."""
        return self._at(features)[:, : -len(self.centres)]

    def parts(self, features: Floats) -> Floats:
        """From the nearest cloud, and from the nearest scores, (N, 2) for features (N, D)."""
        apart = (self._at(features)[:, np.newaxis] - self.centres) ** 2
        clouds, scores = np.split(apart, [-len(self.centres)], axis=2)
        found = [part.sum(axis=2).min(axis=1) for part in (clouds, scores)]
        return np.asarray(np.sqrt(np.stack(found, axis=1)))

    def distance(self, features: Floats) -> Floats:
        """In thresholds: above 1 is unlike. (N,) for features (N, D)."""
        return np.asarray(self.parts(features).max(axis=1) / self.threshold, dtype=np.float32)

    def _at(self, features: Floats) -> Floats:
        return np.asarray((features - self.mean) @ self.axes)

    def save(self, path: Path) -> None:
        """Write it; the same values are the same bytes."""
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **asdict(self))

    @classmethod
    def load(cls, path: Path) -> Familiarity:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            values: dict[str, Any] = {name: kept[name] for name in cls.__dataclass_fields__}
        return cls(**{**values, "threshold": float(values["threshold"])})


def features_of(model: keras.Model) -> Callable[[NDArray[Any]], Floats]:
    """The features that the last layer of a model reads of the views of a clip, float32 (D,)."""
    if len(model.input_shape) == 2:
        return lambda views: np.asarray(views.mean(axis=0), dtype=np.float32)
    read = features_of_clips(model)
    return lambda views: np.mean([read(view[np.newaxis])[0] for view in views], axis=0)


def features_of_clips(model: keras.Model) -> Callable[[NDArray[Any]], Floats]:
    """The features that the last layer of a network reads of several clips, float32 (B, D).

    Where the network judges each frame for itself, it is the mean of its frames.
    """
    import keras

    last = [layer for layer in model.layers if layer.weights][-1]
    before = keras.Model(model.inputs, last.input)

    def found(clips: NDArray[Any]) -> Floats:
        rows = before.predict_on_batch(clips)
        return np.asarray(rows.reshape(len(clips), -1, rows.shape[-1]).mean(axis=1), np.float32)

    return found


def unlike(distance: float) -> str:
    """The caution for a clip at such a distance, over 1."""
    return (
        "It is unlike the videos that the model learned from "
        f"({distance:.1f} times as far as 95 % of such videos lie): do not rely on the answer."
    )
