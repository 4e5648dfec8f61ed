"""How many clips of a class that was left out are called unlike? Run in a project after `embed`.

`python -m benchmarks.unlike [OTHER PROJECT]`: a class at a time is left out of the training, and
then asked about, by each candidate of `transfer`; the clips of another project, too. The threshold
is that of 5 % false rejections, from folds of whole groups.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from reelflow.networks.transfer import Settings, candidates
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.training.fit_familiarity import fit_by_folds
from reelflow.training.group_folds import group_folds


def main() -> None:
    """Print a row a kind of features."""
    here, labels, groups = read(Path())
    others = read(Path(sys.argv[1]))[0] if len(sys.argv) > 1 else {}
    for name, features in here.items():
        targets = np.unique(labels, return_inverse=True)[1]
        shares = {
            str(label): rejected(
                features[labels != label],
                targets[labels != label],
                groups[labels != label],
                features[labels == label],
            )
            for label in np.unique(labels)
            if len(np.unique(labels)) > 2
        }
        for label, share in shares.items():
            print(f"{name}: {label} left out: {share:.0%} rejected")
        if others:
            share = rejected(features, targets, groups, others[name])
            print(f"{name}: other videos: {share:.0%} rejected")


def read(project: Path) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Features by name, labels and groups."""
    store = EmbeddingStore(project / "data/embeddings")
    manifest = pd.read_parquet(project / "data/manifest.parquet").set_index("hash")
    known = manifest.loc[store.hashes]
    features = {
        name: np.hstack([store.features(block, store.hashes) for block in blocks])
        for name, blocks in candidates(Settings(), store.blocks).items()
    }
    groups = known["group"].fillna(pd.Series(known.index, known.index))
    return features, known["label"].to_numpy(), groups.to_numpy()


def rejected(
    learned: np.ndarray, targets: np.ndarray, groups: np.ndarray, asked: np.ndarray
) -> float:
    """The share of `asked` that is called unlike what was learned."""
    targets = np.unique(targets, return_inverse=True)[1]
    found = fit_by_folds(learned, targets, group_folds(targets, list(groups)))
    return float((found.distance(asked) > 1).mean())


if __name__ == "__main__":
    main()
