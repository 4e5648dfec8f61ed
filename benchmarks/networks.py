"""How well each network does on groups that it has not seen: the figures of docs/networks.md.

    python -m benchmarks.networks CHECKOUT…  [--folds 3] [--networks cnn cnn_rnn r2plus1d]

Each CHECKOUT is a folder in which `make run` (or `dvc repro extract`) has been at work: its
manifest and frames are read, nothing in it is written. Groups are dealt into folds, stratified by
class; each fold is the test once, one part in six of the other groups is watched for early
stopping, and every setting but the network is that of `params.yaml` here. Prints a row a network
and set: the share of all clips that were named rightly while their fold was the test, and the
same for always naming the commonest class.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from reelflow.base.determinism import deterministic
from reelflow.base.progress import track
from reelflow.dataset.class_weights import class_weights
from reelflow.networks import NETWORKS, build, reads
from reelflow.params import load_section
from reelflow.params.train import TrainParams
from reelflow.store.frame_store import FrameStore
from reelflow.store.pixel_statistics import pixel_statistics
from reelflow.training.fit import fit
from reelflow.training.predict_clip import predict_clip
from tasks.train import recipe

OF_FRAMES = [name for name in NETWORKS if reads(name) == "frames"]
_WATCHED = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", nargs="+", type=Path)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", choices=OF_FRAMES, default=OF_FRAMES)
    asked = parser.parse_args()
    deterministic()
    print("| set | clips · groups · classes | network | parameters | accuracy | folds | s a fold |")
    print("|---|---|---|---|---|---|---|")
    for checkout in asked.checkouts:
        store, videos = _videos(checkout)
        shape = f"{len(videos)} · {videos['group'].nunique()} · {videos['target'].nunique()}"
        for network in asked.networks:
            cells = _cells(_right_by_fold(network, store, videos, asked.folds))
            print(f"| {checkout.name} | {shape} | `{network}` | {cells} |", flush=True)
        most = videos["target"].value_counts(normalize=True).max()
        print(f"| {checkout.name} | {shape} | commonest class | 0 | {most:.3f} | | |", flush=True)


def _videos(checkout: Path) -> tuple[FrameStore, pd.DataFrame]:
    videos = pd.read_parquet(checkout / "data/manifest.parquet")
    if videos["group"].isna().any():
        raise SystemExit(f"{checkout}: every video needs a group to measure this.")
    videos["target"] = videos["label"].astype("category").cat.codes.astype(np.int32)
    return FrameStore(checkout / "data/frames"), videos


def _right_by_fold(
    network: str, store: FrameStore, videos: pd.DataFrame, folds: int
) -> Iterator[tuple[np.ndarray[Any, np.dtype[np.bool_]], int, float]]:
    """For each fold: which of its clips were named rightly, parameters, seconds of training."""
    params = load_section(Path("params.yaml"), TrainParams)
    classes = int(videos["target"].max()) + 1
    for fold, (known, test) in enumerate(_dealt(videos, folds)):
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


def _dealt(videos: pd.DataFrame, folds: int) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    for rest, fold in dealer.split(videos, videos["target"], videos["group"]):
        yield videos.iloc[rest], videos.iloc[fold]


def _cells(found: Iterator[tuple[np.ndarray[Any, np.dtype[np.bool_]], int, float]]) -> str:
    right, parameters, seconds = zip(*found, strict=True)
    folds = " ".join(f"{fold.mean():.2f}" for fold in right)
    accuracy = np.concatenate(right).mean()
    return f"{parameters[0]:,} | {accuracy:.3f} | {folds} | {np.median(seconds):.0f}"


if __name__ == "__main__":
    main()
