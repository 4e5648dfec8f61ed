"""How well each network does on groups that it has not seen: the figures of docs/networks.md.

    python -m benchmarks.networks CHECKOUT…  [--folds 3] [--repeats 1] [--networks cnn transfer …]

Each CHECKOUT is a folder in which `make run` has been at work: its manifest, frames and embeddings
are read, nothing in it is written. Groups are dealt into folds, stratified by class; each fold is
the test once, one part in six of the other groups is watched for early stopping, and every setting
but the network is that of `params.yaml` here. `transfer` chooses its features and penalty in each
fold anew, by folds of the groups that it learns from. With repeats, groups are dealt anew. Prints
a row a network and set: the share of all clips that were named rightly while their fold was the
test, and the same for always naming the commonest class.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from reelflow.base.determinism import deterministic
from reelflow.base.progress import track
from reelflow.dataset.class_weights import class_weights
from reelflow.networks import NETWORKS, build, reads, transfer
from reelflow.params import load_section
from reelflow.params.train import TrainParams
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.store.frame_store import FrameStore
from reelflow.store.pixel_statistics import pixel_statistics
from reelflow.training.fit import fit
from reelflow.training.predict_clip import predict_clip
from reelflow.training.recipe import recipe
from reelflow.training.ridge_head import fit_ridge_head

MEASURED = [name for name in NETWORKS if reads(name) != "either"]
_WATCHED = 6

# Which clips of a fold were named rightly, the network's parameters, seconds of training.
Right = tuple[np.ndarray[Any, np.dtype[np.bool_]], int, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", nargs="+", type=Path)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--networks", nargs="+", choices=MEASURED, default=MEASURED)
    asked = parser.parse_args()
    deterministic()
    print("| set | clips · groups · classes | network | parameters | accuracy | folds | s a fold |")
    print("|---|---|---|---|---|---|---|")
    for checkout in asked.checkouts:
        store, videos = _videos(checkout)
        shape = f"{len(videos)} · {videos['group'].nunique()} · {videos['target'].nunique()}"
        for network in asked.networks:
            repeats = [
                list(
                    _right_by_fold(
                        network, checkout, store, videos, _dealt(videos, asked.folds, at)
                    )
                )
                for at in range(asked.repeats)
            ]
            print(f"| {checkout.name} | {shape} | `{network}` | {_cells(repeats)} |", flush=True)
        most = videos["target"].value_counts(normalize=True).max()
        print(f"| {checkout.name} | {shape} | commonest class | 0 | {most:.3f} | | |", flush=True)


def _videos(checkout: Path) -> tuple[FrameStore, pd.DataFrame]:
    videos = pd.read_parquet(checkout / "data/manifest.parquet")
    if videos["group"].isna().any():
        raise SystemExit(f"{checkout}: every video needs a group to measure this.")
    videos["target"] = videos["label"].astype("category").cat.codes.astype(np.int32)
    return FrameStore(checkout / "data/frames"), videos


def _right_by_fold(
    network: str,
    checkout: Path,
    store: FrameStore,
    videos: pd.DataFrame,
    dealt: Iterable[tuple[pd.DataFrame, pd.DataFrame]],
) -> Iterator[Right]:
    """For each fold: which of its clips were named rightly, parameters, seconds of training."""
    if reads(network) == "embeddings":
        yield from _of_heads(EmbeddingStore(checkout / "data/embeddings"), dealt)
        return
    params = load_section(Path("params.yaml"), TrainParams)
    classes = int(videos["target"].max()) + 1
    for fold, (known, test) in enumerate(dealt):
        fewest = int(known["target"].value_counts().min())
        learned, watched = next(_dealt(known, min(_WATCHED, fewest)))
        clips = store.index.loc[learned["hash"]]
        pixels = len(clips) * math.prod(store.spec.shape[:-1])
        scale = pixel_statistics(clips["channel_sums"], clips["channel_squares"], pixels)
        weights = class_weights(learned["target"])

        def make_network(scale: dict[str, list[float]] = scale) -> Any:
            own = params.settings(network)
            return build(network, store.spec.shape, classes, **scale, settings=own)

        began = time.perf_counter()
        model = fit(
            make_network,
            store,
            learned,
            watched,
            np.array([weights[str(target)] for target in range(classes)], np.float32),
            recipe(params),
            lambda history: None,
        ).model
        seconds = time.perf_counter() - began
        answers = [
            int(predict_clip(model, store.frames(video)).argmax())
            for video in track(test["hash"], len(test), f"{network}, fold {fold + 1}")
        ]
        yield np.array(answers) == test["target"].to_numpy(), model.count_params(), seconds


def _of_heads(
    store: EmbeddingStore, dealt: Iterable[tuple[pd.DataFrame, pd.DataFrame]]
) -> Iterator[Right]:
    """The same for `transfer`."""
    candidates = transfer.candidates(transfer.Settings(), store.blocks)
    names = {name for blocks in candidates.values() for name in blocks}
    for known, test in dealt:
        began = time.perf_counter()
        targets = known["target"].to_numpy(np.int64)
        head = fit_ridge_head(
            {name: store.features(name, known["hash"]) for name in names},
            list(candidates.values()),
            targets,
            list(known["group"]),
            np.ones(targets.max() + 1),
        )
        seconds = time.perf_counter() - began
        features = np.concatenate(
            [store.features(name, test["hash"]) for name in head.blocks], axis=1
        )
        answers = (features @ head.weights + head.bias).argmax(axis=1)
        yield answers == test["target"].to_numpy(), head.weights.size + head.bias.size, seconds


def _dealt(
    videos: pd.DataFrame, folds: int, seed: int = 0
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for rest, fold in dealer.split(videos, videos["target"], videos["group"]):
        yield videos.iloc[rest], videos.iloc[fold]


def _cells(repeats: list[list[Right]]) -> str:
    accuracies = [np.concatenate([right for right, _, _ in folds]).mean() for folds in repeats]
    _, parameters, seconds = zip(*(fold for folds in repeats for fold in folds), strict=True)
    first = " ".join(f"{right.mean():.2f}" for right, _, _ in repeats[0])
    spread = f" ± {np.std(accuracies):.3f}" if len(repeats) > 1 else ""
    return (
        f"{parameters[0]:,} | {np.mean(accuracies):.3f}{spread} | {first} | "
        f"{np.median(seconds):.0f}"
    )


if __name__ == "__main__":
    main()
