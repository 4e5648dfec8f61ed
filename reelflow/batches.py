"""Clips in batches, read from the frame store as they are needed.

Memory is flat: a few batches of uint8, whatever the size of the set. The order of an epoch and
what is done to each clip follow from the seed, the epoch and the clip alone, so two runs see the
same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.store import FrameStore

if TYPE_CHECKING:
    import tensorflow as tf

# Batches read ahead while the network computes.
_AHEAD = 2


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


def batches(
    store: FrameStore,
    videos: pd.DataFrame,
    batch_size: int,
    *,
    weights: NDArray[np.float32] | None = None,
    seed: int | None = None,
    augmentation: Augmentation | None = None,
    repeats: int = 1,
) -> tf.data.Dataset:
    """The clips of `videos` as a data set of (frames, target, weight); each pass is an epoch.

    Args:
        store: where the frames are.
        videos: the columns `hash` and `target`.
        batch_size: clips a batch; the last batch of a pass may be smaller.
        weights: of each class, float32 (K,); 1 for all if None.
        seed: shuffle and augment by it; None leaves order and frames as they are.
        augmentation: what is done to the frames, if there is a seed.
        repeats: how often each clip comes in an epoch, in another order and augmented otherwise.

    Returns:
        batches of uint8 (B, T, H, W, 3), int32 (B,), float32 (B,).
    """
    import tensorflow as tf

    hashes = videos["hash"].astype(str).tolist()
    targets = videos["target"].to_numpy(np.int32)
    weight = np.ones(targets.max(initial=0) + 1, np.float32) if weights is None else weights
    epochs = iter(range(2**31))

    def clips() -> Iterator[tuple[NDArray[np.uint8], np.int32, np.float32]]:
        epoch = next(epochs)
        for turn in range(epoch * repeats, (epoch + 1) * repeats):
            order = np.arange(len(hashes))
            if seed is not None:
                np.random.default_rng((seed, turn)).shuffle(order)
            for at in order:
                frames = store.frames(hashes[at])
                if seed is not None and augmentation is not None:
                    frames = augmentation(frames, np.random.default_rng((seed, turn, int(at))))
                yield frames, targets[at], weight[targets[at]]

    signature = (
        tf.TensorSpec(store.spec.shape, tf.uint8),
        tf.TensorSpec((), tf.int32),
        tf.TensorSpec((), tf.float32),
    )
    data = tf.data.Dataset.from_generator(clips, output_signature=signature)
    data = data.apply(tf.data.experimental.assert_cardinality(len(hashes) * repeats))
    return data.batch(batch_size).prefetch(_AHEAD)


def _moved(
    frames: NDArray[np.uint8], most: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    _, height, width, _ = frames.shape
    down, right = round(most * height), round(most * width)
    rows = np.arange(height) + random.integers(-down, down, endpoint=True)
    columns = np.arange(width) + random.integers(-right, right, endpoint=True)
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    return frames[:, rows[:, None], columns]
