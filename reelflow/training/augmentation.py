"""Changes of training clips that leave the label true: they keep a network from memorising."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Augmentation:
    """Changes that leave the label true, drawn anew for each clip and epoch.

    One draw holds for all frames of a clip, so that no motion is made up.

    Attributes:
        shift: farthest move of the picture, as a share of its sides; the edge is repeated.
        brightness: farthest factor by which all values are raised or lowered, 0.2 for ±20 %.
        flip: mirror every second clip. Only where left and right mean the same: it turns a move
            to the left into one to the right.
    """

    shift: float = 0.0
    brightness: float = 0.0
    flip: bool = False

    def __call__(self, frames: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
        """Return changed frames, uint8 (T, H, W, 3) as given."""
        if self.shift:
            frames = _moved(frames, self.shift, random)
        if self.brightness:
            factor = 1 + random.uniform(-self.brightness, self.brightness)
            table = np.clip(np.arange(256) * factor, 0, 255).astype(np.uint8)
            frames = table[frames]
        if self.flip and random.random() < 0.5:
            frames = frames[:, :, ::-1]
        return frames


def _moved(
    frames: NDArray[np.uint8], most: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    _, height, width, _ = frames.shape
    down, right = round(most * height), round(most * width)
    rows = np.arange(height) + random.integers(-down, down, endpoint=True)
    columns = np.arange(width) + random.integers(-right, right, endpoint=True)
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    return frames[:, rows[:, None], columns]
