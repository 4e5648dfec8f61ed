"""What folds by scenes and folds by single videos choose, and what it reaches on new scenes.

    python -m benchmarks.new_scenes FOLDER [--kept .reelflow/features]

Writes a sample to FOLDER in which each scene shows one class alone, and whose test shows scenes
that training never had (`reelflow sample --apart`), and embeds it. Then the head of `transfer` is
chosen and fitted on the training videos twice: by stratified folds of whole scenes, as where groups
are known, and by folds of single videos, as where they are not. Prints a row a candidate: its
balanced accuracy in either folds and, fitted alone, on the test; and what was chosen.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.determinism import deterministic
from reelflow.base.errors import VideoError
from reelflow.base.progress import track
from reelflow.embeddings.embed import embed
from reelflow.embeddings.feature_cache import FeatureCache
from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.networks import transfer
from reelflow.sample import write_sample
from reelflow.training.group_folds import balanced_accuracy
from reelflow.training.ridge_head import Candidate, RidgeHead, fit_ridge_head
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds

CLIPS_PER_CLASS, SCENES_PER_CLASS = 40, 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kept", type=Path, default=Path(".reelflow/features"))
    asked = parser.parse_args()
    deterministic()
    if not asked.folder.exists():
        how = {"clips_per_class": CLIPS_PER_CLASS, "groups": SCENES_PER_CLASS}
        print(write_sample(asked.folder, **how, apart=True))
    videos, features = embedded(asked.folder, asked.kept)
    candidates = transfer.candidates(transfer.Settings(), list(features.dtype.names or ()))
    known = (videos["split"] == "train").to_numpy()
    targets = videos["label"].astype("category").cat.codes.to_numpy(np.int64)
    groups = {"scenes": videos["group"].to_numpy(), "single videos": videos["path"].to_numpy()}

    def fitted(folds: str, some: dict[str, Candidate]) -> RidgeHead:
        blocks = {name: features[name][known] for one in some.values() for name in one}
        own = list(groups[folds][known])
        weights = np.ones(targets.max() + 1)
        return fit_ridge_head(blocks, list(some.values()), targets[known], own, weights)

    def on_the_test(head: RidgeHead) -> float:
        table = np.concatenate([features[name][~known] for name in head.blocks], axis=1)
        return balanced_accuracy(targets[~known], table @ head.weights + head.bias)

    heads = {folds: fitted(folds, candidates) for folds in groups}
    print("| features | folds of scenes | folds of single videos | new scenes |")
    print("|---|---|---|---|")
    for at, (name, blocks) in enumerate(candidates.items()):
        judged = [f"{head.judged[at].accuracy:.3f}" for head in heads.values()]
        alone = on_the_test(fitted("scenes", {name: blocks}))
        print(f"| `{name}` | {' | '.join(judged)} | {alone:.3f} |")
    for folds, head in heads.items():
        named = {blocks: name for name, blocks in candidates.items()}
        taken = ", ".join(dict.fromkeys(named[blocks] for blocks, _ in head.chosen.shares))
        found = f"{head.chosen.accuracy:.3f} in these folds, {on_the_test(head):.3f} on new scenes"
        print(f"folds of {folds} choose {taken}: {found}")


def embedded(folder: Path, kept: Path) -> tuple[pd.DataFrame, NDArray[np.void]]:
    """The videos that can be used, and their features in the same order."""
    spec, bounds, checked = EmbeddingSpec(), Bounds(), []
    videos = pd.read_csv(folder / "videos.csv")
    for path in track(videos["path"], len(videos), "checking"):
        try:
            checked.append((path, check_video(folder / path, bounds)))
        except VideoError:  # broken on purpose
            videos = videos[videos["path"] != path]
    cache = FeatureCache(kept, spec)
    new = [video for video in checked if cache.get(video[1].hash) is None]
    for _, wrong in track(embed(new, folder, spec, cache, bounds), len(new), "embedding"):
        if wrong:
            raise wrong
    records = [cache.get(info.hash) for _, info in checked]
    return videos, np.concatenate([each for each in records if each is not None])


if __name__ == "__main__":
    main()
