"""Training steps a second: our loop beside plain Keras, for each network.

    make bench-train          # prints the last section of docs/training.md and writes it

Ours reads each batch from the frame store and augments it, as `train` does. Keras' `fit` gets the
same number of clips as tensors in memory, without augmentation: all that it does is compute. Both
train the same network with the same optimizer, in turns. `stall` is the share of our time in which
the network waited for a batch.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from reelflow.base.determinism import deterministic
from reelflow.networks import NETWORKS, build, reads
from reelflow.params.train import TrainParams
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.training.batches import Batch, Batches
from reelflow.training.fit import State, steps
from reelflow.training.recipe import optimizer_of, recipe
from tests.dataset import write_store

SPEC = ClipSpec(16, 64, 64)
CLIPS, CLASSES = 192, 6
DOCS = Path("docs/training.md")
HEADING = "## Measured"
INTRODUCTION = """
`make bench-train` writes this section: gradient steps a second with batches of {batch} clips of 16
frames of 64×64, on {cores} cores; the fastest of {rounds} rounds in which both take turns. Ours
reads the clips from the frame store and augments them; `fit` of Keras has them as tensors in memory
and does not augment them. `stall` is the share of our time in which the network waited for a batch.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--docs", action="store_true", help=f"write {DOCS}")
    asked = parser.parse_args()
    deterministic()
    params = TrainParams()
    lines = [
        "| network | ours, steps/s | Keras `fit`, steps/s | ours ÷ Keras | stall |",
        "|---|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        batches = _batches(Path(folder), params)
        for network in (name for name in NETWORKS if reads(name) == "frames"):
            lines.append(_row(network, batches, params, asked.rounds))
            print(lines[-1], flush=True)
    text = INTRODUCTION.format(
        batch=params.batch_size, cores=len(os.sched_getaffinity(0)), rounds=asked.rounds
    )
    if asked.docs:
        above = DOCS.read_text(encoding="utf-8").partition(HEADING)[0]
        section = f"{HEADING}\n{text}\n" + "\n".join(lines) + "\n"
        DOCS.write_text(above + section, encoding="utf-8")


def _batches(root: Path, params: TrainParams) -> Batches:
    """A store of clips of noise, in batches as `train` reads them."""
    names = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(CLIPS)]
    videos = pd.DataFrame({"hash": names, "target": np.arange(CLIPS) % CLASSES})
    write_store(root / "frames", videos, SPEC)
    fit = recipe(params)
    ones = np.ones(CLASSES, np.float32)
    return Batches(
        FrameStore(root / "frames"),
        videos,
        fit.batch_size,
        ones,
        seed=0,
        augmentation=fit.augmentation,
    )


def _row(network: str, batches: Batches, params: TrainParams, rounds: int) -> str:
    ours, theirs = _ours(network, batches, params), _theirs(network, batches, params)
    next(ours), next(theirs)  # compiles
    found = [(next(ours), next(theirs)) for _ in range(rounds)]
    # The fastest of each: now and then `fit` waits for a second or more, whatever it trains.
    rate = len(batches) / min(seconds for (seconds, _), _ in found)
    plain = len(batches) / min(seconds for _, seconds in found)
    stall = median(waited / seconds for (seconds, waited), _ in found)
    ratio = rate / plain
    return f"| `{network}` | {rate:.2f} | {plain:.2f} | {ratio:.2f} | {stall:.1%} |"


def _ours(network: str, batches: Batches, params: TrainParams) -> Iterator[tuple[float, float]]:
    """Seconds of an epoch, and of these the seconds without a batch; an epoch each time."""
    model = _network(network)
    train_step, _ = steps(State(model, optimizer_of(recipe(params), 10_000)))
    for epoch in range(10_000):
        waited, began = 0.0, time.perf_counter()
        for batch, seconds in _timed(batches.epoch(epoch)):
            train_step(*batch)
            waited += seconds
        yield time.perf_counter() - began, waited


def _theirs(network: str, batches: Batches, params: TrainParams) -> Iterator[float]:
    import tensorflow as tf

    model = _network(network)
    model.compile(
        optimizer_of(recipe(params), 10_000),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    parts = [np.concatenate(part) for part in zip(*batches.epoch(0), strict=True)]
    frames, targets, weights = (tf.constant(part) for part in parts)
    while True:
        began = time.perf_counter()
        model.fit(frames, targets, params.batch_size, sample_weight=weights, verbose=0)
        yield time.perf_counter() - began


def _network(name: str) -> Any:
    import keras

    keras.utils.set_random_seed(0)
    return build(name, SPEC.shape, CLASSES, [128.0] * 3, [64.0] * 3)


def _timed(batches: Iterator[Batch]) -> Iterator[tuple[Batch, float]]:
    """Each batch, and the seconds that passed until it was there."""
    while True:
        began = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            return
        yield batch, time.perf_counter() - began


if __name__ == "__main__":
    main()
