"""What embeddings and a linear classifier reach on unseen groups: the table of docs/embeddings.md.

    python -m benchmarks.embeddings FOLDER… [--kept .reelflow/features] [--only motion]
        [--backbone efficientnet_lite0] [--head mlp]

The default is MobileNet, what EfficientNet-Lite0 adds to it, and flow. `--head mlp` fits a small
network with one hidden layer, by scikit-learn, in place of ridge regression.

Each FOLDER holds videos and a `videos.csv` with `path,label,group`. Groups are dealt into five
stratified folds, five times; where there are few groups, each is left out once. Ridge regression on
the classes, features standardised on the training folds. The penalty is that of the best score, in
hindsight, or chosen by group folds inside the training folds (nested).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from reelflow.backbones import LAYERS, LITE0, MOBILENET
from reelflow.base.determinism import deterministic
from reelflow.base.progress import track
from reelflow.embeddings.embed import embed
from reelflow.embeddings.feature_cache import FeatureCache
from reelflow.embeddings.flow_statistics import FLOW_BLOCK
from reelflow.embeddings.spec import EmbeddingSpec, Look
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds

TOP, FINE = LAYERS[MOBILENET]
(SECOND,) = LAYERS[LITE0]
STATISTICS = ("mean", "mean_abs_difference", "local_differences", "root_local_differences")
RECIPES = {
    f"{view}, {what}": [name if name == FLOW_BLOCK else f"{view}/{name}" for name in names]
    for view in ("whole", "motion")
    for what, names in {
        "mean": [f"{TOP}/mean"],
        "mean absolute difference": [f"{TOP}/mean_abs_difference"],
        "local differences": [f"{TOP}/local_differences"],
        "√ local differences": [f"{TOP}/root_local_differences"],
        "√ local differences, finer layer": [f"{FINE}/root_local_differences"],
        "√ local differences, two layers": [
            f"{TOP}/root_local_differences",
            f"{FINE}/root_local_differences",
        ],
        "√ local differences, EfficientNet-Lite0": [f"{SECOND}/root_local_differences"],
        "√ local differences, both networks": [
            f"{layer}/root_local_differences" for layer in (TOP, FINE, SECOND)
        ],
        "mean, with flow": [f"{TOP}/mean", f"{FINE}/mean", FLOW_BLOCK],
    }.items()
}
RECIPES["flow"] = [FLOW_BLOCK]
PENALTIES = np.geomspace(0.03, 10, 9)
MLP_PENALTIES = (0.01, 0.1, 1.0)
_HIDDEN = 32
REPEATS = 5
_FEW_GROUPS = 8

Blocks = list[NDArray[np.float32]]
Rows = NDArray[np.int64]
Scores = NDArray[np.float64]
Head = Callable[[Blocks, pd.DataFrame, Rows, Rows], Scores]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--kept", type=Path, default=Path(".reelflow/features"))
    parser.add_argument("--backbone", default=MOBILENET)
    parser.add_argument("--head", choices=HEADS, default="ridge")
    parser.add_argument("--only", default="", help="recipes whose name holds this")
    asked = parser.parse_args()
    deterministic()
    print("| set | features | numbers | best | nested |")
    print("|---|---|---|---|---|")
    costs = []
    for folder in asked.folders:
        videos, features, cost = embedded(folder, asked.kept, asked.backbone)
        costs.append(cost)
        for recipe, names in RECIPES.items():
            if asked.only in recipe and set(names) <= set(features.dtype.names or ()):
                blocks = [features[name] for name in names]
                by_penalty, chosen = accuracies(blocks, videos, HEADS[asked.head])
                best = max(np.transpose(by_penalty), key=np.mean)
                numbers = sum(block.shape[1] for block in blocks)
                cells = f"{numbers} | {shown(best)} | {shown(chosen)}"
                print(f"| {folder.name} | {recipe} | {cells} |", flush=True)
    print("\n" + "\n".join(costs))


def embedded(folder: Path, kept: Path, backbone: str) -> tuple[pd.DataFrame, NDArray[np.void], str]:
    """The videos of a folder, their features in the same order, and what these cost."""
    looks = (Look(backbone, LAYERS.get(backbone, ()), statistics=STATISTICS),)
    if backbone == MOBILENET:
        looks += EmbeddingSpec().looks[1:]
    spec, bounds = EmbeddingSpec(looks), Bounds()
    videos = pd.read_csv(folder / "videos.csv")
    checked = [
        (path, check_video(folder / path, bounds))
        for path in track(videos["path"], len(videos), "checking")
    ]
    cache = FeatureCache(kept, spec)
    new = [video for video in checked if cache.get(video[1].hash) is None]
    began, busy = time.perf_counter(), sum(os.times()[:4])
    for _, wrong in track(embed(new, folder, spec, cache, bounds), len(new), "embedding"):
        if wrong:
            raise wrong
    records = [cache.get(info.hash) for _, info in checked]
    seconds = (time.perf_counter() - began) / len(checked)
    busy = (sum(os.times()[:4]) - busy) / len(checked)
    size = cache.path(checked[0][1].hash).stat().st_size
    cost = (
        f"{folder.name}: {len(new)} of {len(checked)} clips new; {seconds:.3f} s, {busy:.3f} s of "
        f"one core, and {size} bytes a clip"
    )
    return videos, np.concatenate([each for each in records if each is not None]), cost


def shown(scores: Iterable[float]) -> str:
    scores = list(scores)
    if len(scores) == 1:
        return f"{scores[0]:.3f}"
    return f"{np.mean(scores):.3f} ± {np.std(scores):.3f}"


def accuracies(
    blocks: Blocks, videos: pd.DataFrame, head: Head
) -> tuple[list[Scores], list[float]]:
    """For each repeat the accuracy at each penalty, and where each training fold chooses it."""
    by_penalty, chosen = [], []
    for repeat in range(1 if videos["group"].nunique() < _FEW_GROUPS else REPEATS):
        right, nested = 0.0, 0.0
        for train, test in dealt(videos, 5, repeat):
            scores = head(blocks, videos, train, test)
            right += scores
            inner = sum(
                head(blocks, videos, train[some], train[rest])
                for some, rest in dealt(videos.iloc[train], 4, repeat)
            )
            nested += scores[np.argmax(inner)]
        by_penalty.append(right / len(videos))
        chosen.append(nested / len(videos))
    return by_penalty, chosen


def dealt(videos: pd.DataFrame, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    few = videos["group"].nunique() < _FEW_GROUPS
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    yield from (LeaveOneGroupOut() if few else dealer).split(
        videos, videos["label"], videos["group"]
    )


def standardised(blocks: Blocks, train: Rows) -> Scores:
    """All blocks as one table; each is standardised and counts the same, however many numbers it
    has."""
    scaled = []
    for block in blocks:
        scaler = StandardScaler().fit(block[train])
        scaled.append(scaler.transform(block) / np.sqrt(block.shape[1]))
    return np.concatenate(scaled, axis=1).astype(np.float64)


def ridge(blocks: Blocks, videos: pd.DataFrame, train: Rows, test: Rows) -> Scores:
    """How many test videos are named rightly at each penalty."""
    table = standardised(blocks, train)
    targets = pd.get_dummies(videos["label"]).to_numpy(np.float64)
    values, vectors = np.linalg.eigh(table[train] @ table[train].T)
    mean = targets[train].mean(axis=0)
    turned = vectors.T @ (targets[train] - mean)
    near = table[test] @ table[train].T @ vectors
    answers = [mean + near @ (turned / (values + penalty)[:, None]) for penalty in PENALTIES]
    truth = targets[test].argmax(axis=1)
    return np.array([(answer.argmax(axis=1) == truth).sum() for answer in answers], np.float64)


def mlp(blocks: Blocks, videos: pd.DataFrame, train: Rows, test: Rows) -> Scores:
    """The same by a network with one hidden layer; another seed for another fold."""
    table, labels = standardised(blocks, train), videos["label"].to_numpy()
    # In the space that the training videos span, which is all that weights with a penalty can use.
    table = table @ np.linalg.svd(table[train], full_matrices=False)[2].T
    heads = (
        MLPClassifier((_HIDDEN,), solver="lbfgs", alpha=penalty, random_state=int(test.sum() % 997))
        for penalty in MLP_PENALTIES
    )
    answers = (head.fit(table[train], labels[train]).predict(table[test]) for head in heads)
    return np.array([(answer == labels[test]).sum() for answer in answers], np.float64)


HEADS = {"ridge": ridge, "mlp": mlp}


if __name__ == "__main__":
    main()
