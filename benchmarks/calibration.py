"""Do confidences mean what they say on new groups? Run in a project after `embed`.

`python -m benchmarks.calibration [CANDIDATE …]`: five outer folds of whole groups; in each,
features, weights and temperatures are fitted to the others alone. Prints the accuracy, the
calibration error and what chance allows, and the Brier score: of the bare scores, of the head, and
at the temperature of the card.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from reelflow.evaluation.calibration import by_chance, expected_error
from reelflow.evaluation.metrics import squared_distances
from reelflow.networks import transfer
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.training.group_folds import group_folds
from reelflow.training.ridge_head import RidgeHead, fit_ridge_head, softmax
from reelflow.training.temperature import fit_temperature, tempered


def main() -> None:
    """Print a row a kind of probability."""
    store = EmbeddingStore(Path("data/embeddings"))
    known = pd.read_parquet("data/manifest.parquet").set_index("hash").loc[store.hashes]
    targets = np.unique(known["label"], return_inverse=True)[1]
    groups = list(known["group"].fillna(pd.Series(known.index, known.index)))
    candidates = transfer.candidates(transfer.Settings(), store.blocks)
    candidates = {name: candidates[name] for name in sys.argv[1:] or candidates}
    names = dict.fromkeys(block for blocks in candidates.values() for block in blocks)
    blocks = {name: store.features(name, store.hashes) for name in names}
    classes = int(targets.max()) + 1
    found = {name: np.zeros((len(targets), classes)) for name in ("bare", "head", "card")}
    for learned, left in group_folds(targets, groups, seed=100):
        head = fit_ridge_head(
            {name: values[learned] for name, values in blocks.items()},
            list(candidates.values()),
            targets[learned],
            [groups[at] for at in learned],
            np.ones(classes),
        )
        scores = np.hstack([blocks[name][left] for name in head.blocks]) @ head.weights + head.bias
        # What the head's own temperature made of the scores of its folds.
        leads = [values[:, 0] - values[:, -1] for values in _both(head)]
        spread = leads[0].std() / leads[1].std()
        found["bare"][left] = softmax(scores / spread)
        found["head"][left] = softmax(scores)
        temperature = fit_temperature(head.probabilities, targets[learned])
        found["card"][left] = tempered(found["head"][left], temperature)
    for name, chance in found.items():
        right, sure = chance.argmax(axis=1) == targets, chance.max(axis=1)
        brier = squared_distances(targets, chance).mean()
        print(
            f"{name}: accuracy {right.mean():.3f}, error {expected_error(sure, right):.3f} "
            f"(chance: {by_chance(sure):.3f}), Brier {brier:.3f}"
        )


def _both(head: RidgeHead) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of the probabilities of the folds, and the scores behind them."""
    return np.log(np.maximum(head.probabilities, 1e-30)), head.chosen.scores


if __name__ == "__main__":
    main()
