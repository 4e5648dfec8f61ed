"""Are hidden groups found? Run in a project after `embed`: `python -m benchmarks.hidden_groups`.

The groups of the videos are taken away and the alarm is asked; then of one video a group, which
share nothing. By how much a random split flatters is printed for every candidate of `transfer`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier

from reelflow.evaluation.alarms import hidden_groups
from reelflow.networks.transfer import Settings, candidates
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.store.frame_store import FrameStore


def main() -> None:
    """Print what the alarm measures, of all and of one a group, five times drawn."""
    store, embeddings = FrameStore(Path("data/frames")), Path("data/embeddings")
    manifest = pd.read_parquet("data/manifest.parquet")
    manifest = manifest[manifest["hash"].isin(store.index.index)].reset_index(drop=True)
    targets = np.unique(manifest["label"], return_inverse=True)[1]
    videos = manifest.assign(target=targets, known_group=None)
    drawn = [videos.sample(frac=1, random_state=seed) for seed in range(5)]
    alone = [one.drop_duplicates("group") for one in drawn]
    for name, table in (("all", videos), *(("one a group", one) for one in alone)):
        found = hidden_groups.looks_of(table, store, embeddings)
        assert found, "no group is known"
        closeness, clusters = hidden_groups.measure(found.backgrounds)
        print(
            f"{name}: {len(table)} videos, closeness {closeness:.2f}, clusters {clusters.max() + 1}"
        )
        if name == "all":
            flattery(table, clusters, embeddings)


def flattery(table: pd.DataFrame, clusters: np.ndarray, embeddings: Path) -> None:
    """Print what each kind of features reaches by a random split, by cluster, and by true group:
    by ridge regression, and by the nearest neighbour, which remembers."""
    store = EmbeddingStore(embeddings)
    table = table.sort_values("hash")
    for name, blocks in candidates(Settings(), store.blocks).items():
        features = np.hstack([store.features(block, list(table["hash"])) for block in blocks])
        for model in (None, KNeighborsClassifier(1)):
            scores = [
                hidden_groups.accuracy_by_folds(features, table["target"].to_numpy(), groups, model)
                for groups in (np.arange(len(table)), clusters, by_hash(table))
            ]
            print(name, model or "ridge", np.round(scores, 3))


def by_hash(table: pd.DataFrame) -> np.ndarray:
    """The true groups, in the order of the hashes."""
    groups = table.sort_values("hash")["group"]
    return np.unique(groups.fillna("").to_numpy(str), return_inverse=True)[1]


if __name__ == "__main__":
    main()
