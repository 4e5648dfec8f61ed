"""What can be explained: a model, and how it looks at a video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import zoom

from reelflow.video.check_by_decoding import VideoInfo

if TYPE_CHECKING:
    import keras

Frames = NDArray[np.uint8]
Floats = NDArray[np.float32]
# (time, rows, columns)
Shape3 = tuple[int, int, int]
# Frames that take the place of others: the number of the first, and uint8 (n, H, W, 3).
Changed = tuple[int, Frames]

# What `randomised` may draw anew by itself, before it begins from the answer down.
BELOW = "the frozen network alone"
# Where float32 has nothing left, all the same.
_LEAST = 1e-30


@dataclass(frozen=True)
class Look:
    """A video as a model is shown it.

    Attributes:
        frames: uint8 RGB (T, H, W, 3).
        times: float64 (T,), seconds on the clock of the file.
        info: what the file is.
        parts: left, top, right, bottom in pixels of what it looks at, by name, if not all.
    """

    frames: Frames
    times: NDArray[np.float64]
    info: VideoInfo
    parts: dict[str, tuple[int, int, int, int]]


class Subject(Protocol):
    """A model that can be explained.

    Attributes:
        model: what answers in the end.
        labels: in its order.
        grid: how many cells in time, down and across are worth their cost for occlusion.
        own: the name of the map that `own_map` gives; empty if it gives none.
    """

    model: keras.Model
    labels: list[str]
    grid: Shape3
    own: str

    def look(self, path: Path) -> Look:
        """A video as the model sees it. Raises `VideoError`."""

    def probabilities(self, look: Look, changed: Iterable[Changed]) -> Floats:
        """Probabilities (N, K) of the video with each of these changes, in order."""

    def filters(self) -> list[Frames]:
        """The first filters of each network that sees pictures, as pictures (N, h, w, 3)."""

    def own_map(self, look: Look, target: int) -> Floats:
        """What speaks for a class (above nought) and against it, (T, H, W)."""

    def features(self, look: Look) -> Floats:
        """What the last layer reads, (D,)."""

    def randomised(self, seed: int) -> Iterator[tuple[str, Subject]]:
        """The model with its weights drawn anew, more and more of it, from the answer down: what
        was drawn by then, and the model. The last has nothing left of what it learned. `BELOW`
        may come first."""


def log_odds(probabilities: NDArray[np.floating], target: int) -> NDArray[np.float64]:
    """log p / (1 - p) of a class, (N,), for probabilities (N, K). The sum of the others keeps its
    digits where 1 - p has none."""
    others = np.delete(probabilities, target, axis=1).sum(axis=1, dtype=np.float64)
    own = probabilities[:, target].astype(np.float64)
    return np.asarray(np.log(np.maximum(own, _LEAST)) - np.log(np.maximum(others, _LEAST)))


def tensor_log_odds(probabilities: Any, target: int, temperature: float) -> Any:
    """log p / (1 - p) of a class at a temperature, for a TensorFlow tensor (K,) at none."""
    import tensorflow as tf

    logits = tf.math.log(tf.maximum(probabilities, _LEAST)) / temperature
    others = tf.concat([logits[:target], logits[target + 1 :]], axis=0)
    return logits[target] - tf.reduce_logsumexp(others)


def enlarged(values: Floats, shape: Shape3) -> Floats:
    """A map (t, h, w) drawn larger, each value in the middle of what it stands for."""
    factors = [new / old for new, old in zip(shape, values.shape, strict=True)]
    return np.asarray(zoom(values, factors, order=1, mode="nearest", grid_mode=True), np.float32)
