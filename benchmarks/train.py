"""Training steps a second, our loop beside plain Keras for each network; and what embeddings cost.

    make bench-train          # prints the last section of docs/training.md and writes it
    python -m benchmarks.train --networks flow finetune     # prints a part of it

Ours reads each batch from the frame store and augments it, as `train` does. Keras' `fit` gets the
same number of clips as tensors in memory, without augmentation: all that it does is compute. Both
train the same network with the same optimizer, in turns. `stall` is the share of our time in which
the network waited for a batch. `transfer` reads embeddings, of which the second table tells what
they cost to make, to keep and to read.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from reelflow.base.determinism import deterministic
from reelflow.embeddings.embed import features_of, networks_of, read_views
from reelflow.embeddings.feature_cache import FeatureCache
from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.networks import NETWORKS, build, reads
from reelflow.params.train import TrainParams
from reelflow.sample.write import BOXES, write_sample
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.training.batches import Batches
from reelflow.training.fit import State, steps
from reelflow.training.optimizer import optimizer_of, recipe
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from tests.dataset import write_store

SPEC = ClipSpec(16, 64, 64)
CLIPS, CLASSES = 192, 6
ON_FRAMES = [name for name in NETWORKS if reads(name) == "frames"]
DOCS = Path("docs/training.md")
HEADING = "## Measured"
INTRODUCTION = """
`make bench-train` writes this section: gradient steps a second with batches of {batch} clips of 16
frames of 64×64, on {cores} cores; the fastest of {rounds} rounds in which both take turns. Ours
reads the clips from the frame store and augments them; `fit` of Keras has them as tensors in memory
and does not augment them. `stall` is the share of our time in which the network waited for a batch.

{networks}

`transfer` reads embeddings ([embeddings](embeddings.md)). What they cost: medians over {clips}
clips of the sample, one at a time, after the check of `ingest`. Beside decoding stand the bytes of
the pictures that the backbones look at, were they kept in place of the embedding.

{embeddings}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", nargs="+", choices=ON_FRAMES, default=ON_FRAMES)
    parser.add_argument("--docs", action="store_true", help=f"write {DOCS}")
    asked = parser.parse_args()
    if asked.docs and asked.networks != ON_FRAMES:
        parser.error(f"{DOCS} holds every network: leave --networks out")
    deterministic()
    with tempfile.TemporaryDirectory() as folder:
        networks = list(_networks(Path(folder), asked.networks, asked.rounds))
        clips, embeddings = _embeddings(Path(folder))
    if asked.docs:
        above = DOCS.read_text(encoding="utf-8").partition(HEADING)[0]
        section = INTRODUCTION.format(
            batch=TrainParams().batch_size,
            cores=len(os.sched_getaffinity(0)),
            rounds=asked.rounds,
            networks="\n".join(networks),
            clips=clips,
            embeddings="\n".join(embeddings),
        )
        DOCS.write_text(f"{above}{HEADING}\n{section}", encoding="utf-8")


def _networks(folder: Path, names: Sequence[str], rounds: int) -> Iterator[str]:
    """The table of networks, line by line."""
    params = TrainParams()
    yield "| network | ours, steps/s | Keras `fit`, steps/s | ours ÷ Keras | stall |"
    yield "|---|---|---|---|---|"
    batches = _batches(folder, params)
    for network in names:
        row = _row(network, batches, params, rounds)
        print(row, flush=True)
        yield row


def _embeddings(folder: Path) -> tuple[int, list[str]]:
    """How many clips of the sample were embedded, and the table of what that costs."""
    spec, bounds = EmbeddingSpec(), Bounds()
    cache = FeatureCache(folder / "features", spec)
    raw = folder / "raw"
    write_sample(raw, clips_per_class=3, groups=3)
    whole = pd.read_csv(raw / BOXES)["path"].unique()  # the sample holds broken files, too
    videos = [(path, check_video(raw / path, bounds)) for path in whole]
    networks = networks_of(spec)
    costs = []
    for video in (videos[0], *videos):
        began = time.perf_counter()
        seen = read_views(raw, spec, bounds, video)
        decoded = time.perf_counter()
        cache.keep(video[1].hash, features_of(seen, networks, spec))
        kept = time.perf_counter()
        cache.get(video[1].hash)
        read = time.perf_counter()
        pictures = sum(view.nbytes for view in seen.views.values())
        size = cache.path(video[1].hash).stat().st_size
        costs.append((decoded - began, pictures, kept - began, size, read - kept))
    # The first compiles.
    decode, pictures, embed, size, read = (
        median(values) for values in zip(*costs[1:], strict=True)
    )
    table = [
        "| of a clip | s | bytes on the disk |",
        "|---|---|---|",
        f"| reading its kept embedding | {read:.4f} | {size:,.0f} |",
        f"| decoding it again, with its views and flow | {decode:.4f} | {pictures:,.0f} |",
        f"| from its file to its kept embedding | {embed:.4f} | {size:,.0f} |",
    ]
    print("\n".join(table))
    return len(videos), table


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


def _timed(batches: Iterator[Any]) -> Iterator[tuple[Any, float]]:
    """Each batch, and the seconds that passed until it was there."""
    while True:
        began = time.perf_counter()
        batch = next(batches, None)
        if batch is None:
            return
        yield batch, time.perf_counter() - began


if __name__ == "__main__":
    main()
