"""Clips in batches, read from the frame store as they are needed.

Memory is flat: a few batches of uint8, whatever the size of the set. The order of an epoch and
what is done to each clip follow from the seed, the epoch and the clip alone, so two runs see the
same bytes.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.store.crops_and_segments import centre, drawn
from reelflow.store.frame_store import FrameStore
from reelflow.training.augmentation import Augmentation
from reelflow.training.mixing import Mixing

# What a stream of random numbers is for. NumPy fills a short seed up with zeros, so that (s, e) and
# (s, e, 0) would be one stream: each kind begins with a number of its own.
_ORDER, _CLIP, _AGAIN, _MIX = 0, 1, 2, 3

# Frames uint8 (B, T, H, W, 3); targets int32 (B,), or float32 (B, K), the share of each class,
# where `Mixing` makes labels soft; weights float32 (B,).
Batch = tuple[NDArray[np.uint8], NDArray[Any], NDArray[np.float32]]

# Threads that read batches, and how many batches may lie ready.
_READERS = 2
_AHEAD = 4


@dataclass
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
        seed: shuffle, draw crops and frames (`reelflow.store.crops_and_segments`), and augment by
            it; None leaves the order as it is and takes the middle of each.
        augmentation: what is done to the frames, with a seed.
        mixing: of clips and their labels; needs a seed.
        balanced: draw each class as often as the others; needs a seed. Clips of rare classes come
            again within a pass, augmented differently, and not all of the others come.
        repeats: passes of an epoch, each in another order and augmented otherwise.
        worker: which of `workers` this is, from 0.
        workers: how many read together. Each has as many batches as the others; the last may be
            of a clip less than the others'. Where there are fewer clips than workers each has all
            of them: no one is left with an empty batch, of which nothing can be computed.

    Raises:
        DataError: a video has no clip in the store.
    """

    store: FrameStore
    videos: pd.DataFrame
    batch_size: int
    weights: NDArray[np.float32]
    _: KW_ONLY
    seed: int | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    mixing: Mixing = field(default_factory=Mixing)
    balanced: bool = False
    repeats: int = 1
    worker: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        self._places = self.store.places(self.videos["hash"].astype(str).tolist())
        self._targets = self.videos["target"].to_numpy(np.int32)
        # The order of a large set takes longer to draw than a batch to read.
        self._order = lru_cache(maxsize=2)(self._drawn_order)

    def __len__(self) -> int:
        """Batches an epoch."""
        clips = len(self._places) * self.repeats
        return math.ceil(clips / (self.batch_size * self.workers))

    def batch(self, epoch: int, index: int) -> Batch:
        """Read one batch.

        Returns:
            frames uint8 (B, T, H, W, 3), targets int32 (B,), weights float32 (B,).

        Raises:
            DataError: frames cannot be read.
        """
        start = index * self.batch_size * self.workers
        numbers = range(start, start + self.clips(index))
        if len(numbers) >= self.workers:
            numbers = numbers[self.worker :: self.workers]
        clips = len(self._places)
        # Of each clip its pass, counted over all epochs, and its number in it.
        chosen = [divmod(epoch * self.repeats * clips + number, clips) for number in numbers]
        frames = np.empty((len(chosen), *self.store.spec.shape), np.uint8)
        for clip, into in zip(chosen, frames, strict=True):
            self._read(*clip, into)
        targets = self._targets[[self._row(*clip) for clip in chosen]]
        if not self.mixing.soft:
            return frames, targets, self.weights[targets]
        shares = self._mixed(frames, targets, chosen)
        return frames, self.mixing.smooth(shares), shares @ self.weights

    def clips(self, index: int) -> int:
        """Clips of a batch, of all workers together."""
        together = self.batch_size * self.workers
        return min(together, len(self._places) * self.repeats - index * together)

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[Any, ...]]:
        """Yield the batches of an epoch from number `start` on, in order, as tensors, read by two
        threads ahead of their use.

        Threads of our own: TensorFlow works on one operation at a time (see
        `reelflow.base.determinism.deterministic`), and reading through `tf.data` is one of
        them.

        Raises:
            DataError: frames cannot be read.
        """
        ready: deque[Future[tuple[Any, ...]]] = deque()
        readers = ThreadPoolExecutor(_READERS)
        try:
            for index in range(start, len(self)):
                ready.append(readers.submit(self._tensors, number, index))
                if len(ready) > _AHEAD:
                    yield ready.popleft().result()
            while ready:
                yield ready.popleft().result()
        finally:
            readers.shutdown(cancel_futures=True)

    def _tensors(self, epoch: int, index: int) -> tuple[Any, ...]:
        """A batch, copied to where TensorFlow has it: otherwise a step begins with this copy, and
        the network waits for it."""
        import tensorflow as tf

        return tuple(map(tf.convert_to_tensor, self.batch(epoch, index)))

    def _read(self, turn: int, number: int, into: NDArray[np.uint8]) -> None:
        spec, row = self.store.spec, self._row(turn, number)
        # Where more is stored than is seen, the clip is read beside and a part of it taken.
        same = spec.stored_shape == spec.shape
        room = into if same else np.empty(spec.stored_shape, np.uint8)
        self.store.read(int(self._places[row]), room)
        random = None
        if self.seed is not None:
            stream = (_AGAIN, turn, number) if self.balanced else (_CLIP, turn, row)
            random = self._random(*stream)
        if not same:
            into[...] = drawn(room, spec, random) if random else centre(room, spec)
        if random:
            into[...] = self.augmentation(into, random)

    def _mixed(
        self, frames: NDArray[np.uint8], targets: NDArray[np.int32], chosen: list[tuple[int, int]]
    ) -> NDArray[np.float32]:
        """Mix each clip with the next in its pass, whoever reads that; return the shares (B, K)."""
        shares = np.eye(len(self.weights), dtype=np.float32)[targets]
        if not self.mixing.pairs:
            return shares
        other = np.empty(self.store.spec.shape, np.uint8)
        for row, ((turn, number), into) in enumerate(zip(chosen, frames, strict=True)):
            following = (number + 1) % len(self._places)
            self._read(turn, following, other)
            kept = self.mixing.mix(into, other, self._random(_MIX, turn, number))
            shares[row] *= kept
            shares[row, self._targets[self._row(turn, following)]] += 1 - kept
        return shares

    def _row(self, turn: int, number: int) -> int:
        """The row of the clip with this number in a pass."""
        return int(self._order(turn)[number])

    def _drawn_order(self, turn: int) -> NDArray[np.int64]:
        if self.seed is None:
            return np.arange(len(self._places))
        random = self._random(_ORDER, turn)
        if self.balanced:
            return _balanced_order(self._targets, turn, random)
        return random.permutation(len(self._places))

    def _random(self, *what: int) -> np.random.Generator:
        assert self.seed is not None
        return np.random.default_rng((self.seed, *what))


def _balanced_order(
    targets: NDArray[np.int32], turn: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """As many places as there are clips, the same number for each class but for what is left over,
    which goes to the classes in turns; a class comes whole before a clip of it comes again."""
    classes = np.unique(targets)
    number, left = divmod(len(targets), len(classes))
    drawn = []
    for at, target in enumerate(classes):
        wanted = number + ((at - turn) % len(classes) < left)
        own = np.flatnonzero(targets == target)
        passes = [random.permutation(own) for _ in range(math.ceil(wanted / len(own)))]
        drawn.append(np.concatenate(passes)[:wanted])
    return random.permutation(np.concatenate(drawn))
