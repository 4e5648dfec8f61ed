"""Are hidden groups found? Run in a project after `embed`: `python -m benchmarks.hidden_groups`.

The groups of the videos are taken away and the alarm is asked; then of one video a group, which
share nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from reelflow.evaluation.alarms import hidden_groups
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
        found = hidden_groups.seen(table, store, embeddings)
        closeness, clusters = hidden_groups.measure(found["backgrounds"])
        print(
            f"{name}: {len(table)} videos, closeness {closeness:.2f}, clusters {clusters.max() + 1}"
        )
        scores = [
            hidden_groups.accuracy_by_folds(found["features"], found["targets"], groups)
            for groups in (np.arange(len(table)), clusters, by_hash(table))
        ]
        if name == "all":
            print("a cheap model: random, by cluster, by true group:", np.round(scores, 3))


def by_hash(table: pd.DataFrame) -> np.ndarray:
    """The true groups, in the order of the hashes."""
    groups = table.sort_values("hash")["group"]
    return np.unique(groups.fillna("").to_numpy(str), return_inverse=True)[1]


if __name__ == "__main__":
    main()
