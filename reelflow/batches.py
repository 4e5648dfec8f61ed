"""Clips in batches, read from the frame store as they are needed.

Memory is flat: a few batches of uint8, whatever the size of the set. The order of an epoch and
what is done to each clip follow from the seed, the epoch and the clip alone, so two runs see the
same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.store import FrameStore
from reelflow.views import centre, drawn

# Frames uint8 (B, T, H, W, 3), targets int32 (B,), weights float32 (B,).
Batch = tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.float32]]


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


class Batches:
    """The clips of `videos` in batches, epoch after epoch.

    A batch follows from the epoch and its place alone, so batches can be read by any thread, in
    any order and more than once.

    Several workers that train together each take a part of every batch, so that what is learned
    from does not depend on how many there are: with a quarter of the batch size, four workers see
    in their batches number n what one alone would see in its own.

    Args:
        store: where the frames are.
        videos: the columns `hash` and `target`.
        batch_size: clips a batch; the last batch of an epoch may be smaller.
        weights: of each class, float32 (K,).
        seed: shuffle, draw crops and frames (`reelflow.views`), and augment by it; None leaves the
            order as it is and takes the middle of each.
        augmentation: what is done to the frames, if there is a seed.
        repeats: how often each clip comes in an epoch, in another order and augmented otherwise.
        worker: which of `workers` this is, from 0.
        workers: how many read together. Each has as many batches as the others; the last may be
            of a clip less than the others', or of none.

    Raises:
        DataError: a video has no clip in the store.
    """

    def __init__(
        self,
        store: FrameStore,
        videos: pd.DataFrame,
        batch_size: int,
        weights: NDArray[np.float32],
        *,
        seed: int | None = None,
        augmentation: Augmentation | None = None,
        repeats: int = 1,
        worker: int = 0,
        workers: int = 1,
    ) -> None:
        self._store = store
        self._places = store.places(videos["hash"].astype(str).tolist())
        self._targets = videos["target"].to_numpy(np.int32)
        self._batch_size = batch_size
        self._weights = weights
        self._seed = seed
        self._augmentation = augmentation or Augmentation()
        self._augmented = seed is not None and self._augmentation != Augmentation()
        self._repeats = repeats
        self._worker = worker
        self._workers = workers
        # The order of a large set takes longer to draw than a batch to read.
        self._order = lru_cache(maxsize=2)(self._drawn_order)

    def __len__(self) -> int:
        """Batches an epoch."""
        clips = len(self._places) * self._repeats
        return math.ceil(clips / (self._batch_size * self._workers))

    def batch(self, epoch: int, index: int) -> Batch:
        """Read one batch.

        Returns:
            frames uint8 (B, T, H, W, 3), targets int32 (B,), weights float32 (B,).

        Raises:
            IndexError: there are not as many batches in an epoch.
            DataError: frames cannot be read.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        together = self._batch_size * self._workers
        start = index * together
        stop = min(start + together, len(self._places) * self._repeats)
        chosen = self._chosen(epoch, range(start + self._worker, stop, self._workers))
        spec = self._store.spec
        frames = np.empty((len(chosen), *spec.shape), np.uint8)
        # Where more is stored than is seen, the clip is read beside and a part of it taken.
        room = None if spec.stored_shape == spec.shape else np.empty(spec.stored_shape, np.uint8)
        for (turn, at), into in zip(chosen, frames, strict=True):
            self._store.read(int(self._places[at]), into if room is None else room)
            random = None if self._seed is None else self._random(turn, at)
            if room is not None:
                into[...] = drawn(room, spec, random) if random else centre(room, spec)
            if random and self._augmented:
                into[...] = self._augmentation(into, random)
        targets = self._targets[[at for _, at in chosen]]
        return frames, targets, self._weights[targets]

    def _chosen(self, epoch: int, numbers: range) -> list[tuple[int, int]]:
        """The turn and the row of the clips of these numbers in the order of an epoch."""
        clips = len(self._places)
        first = epoch * self._repeats
        places = [(first + number // clips, number % clips) for number in numbers]
        orders = {turn: self._order(turn) for turn in {turn for turn, _ in places}}
        return [(turn, int(orders[turn][at])) for turn, at in places]

    def _drawn_order(self, turn: int) -> NDArray[np.int64]:
        if self._seed is None:
            return np.arange(len(self._places))
        return self._random(turn).permutation(len(self._places))

    def _random(self, *what: int) -> np.random.Generator:
        assert self._seed is not None
        return np.random.default_rng((self._seed, *what))


def _moved(
    frames: NDArray[np.uint8], most: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    _, height, width, _ = frames.shape
    down, right = round(most * height), round(most * width)
    rows = np.arange(height) + random.integers(-down, down, endpoint=True)
    columns = np.arange(width) + random.integers(-right, right, endpoint=True)
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    return frames[:, rows[:, None], columns]
