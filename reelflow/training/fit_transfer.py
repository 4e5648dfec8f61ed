"""Fitting a head on embeddings: the same outcome as of the training loop, in one step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from reelflow.networks.auto import HEAD
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.training.fit import COLUMNS
from reelflow.training.fit_familiarity import fit_by_folds
from reelflow.training.group_folds import group_folds, targets_and_groups
from reelflow.training.held_out_answers import LeftOut
from reelflow.training.learning_curve import learning_curve
from reelflow.training.ridge_head import Floats, Judged, RidgeHead, fit_ridge_head
from reelflow.training.training_result import Trained

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)


def fit_transfer(
    make_network: Callable[[tuple[int, ...]], keras.Model],
    store: EmbeddingStore,
    videos: pd.DataFrame,
    candidates: Mapping[str, tuple[str, ...]],
    class_weights: NDArray[np.floating],
    seed: int,
) -> Trained:
    """Choose features by folds, and fit the head on all of `videos`.

    Its history is one row: `loss` and `accuracy` on the videos that it learned from, `val_loss` and
    `val_accuracy` by the folds that left each video out. Its card has `embedding`, `blocks` (side
    by side what the model takes), `candidates` (for each, and for an average of some, its name,
    balanced accuracy in the folds, its standard error, whether it was chosen, and its share in the
    average) and, with groups enough, the `learning_curve`.

    Args:
        make_network: builds it for features of a shape, (D,).
        store: the embeddings of all videos.
        videos: the columns `hash`, `target`, and `group`, which no fold separates; a video without
            one is a group of its own.
        candidates: blocks by name.
        class_weights: float (K,), what a video of each class counts.
        seed: of the folds.

    Raises:
        DataError: a class has one group alone.
    """
    names = dict.fromkeys(block for blocks in candidates.values() for block in blocks)
    blocks = {name: store.features(name, videos["hash"]) for name in names}
    targets, groups = targets_and_groups(videos)
    head = fit_ridge_head(
        blocks, list(candidates.values()), targets, groups, class_weights, seed=seed
    )
    features = np.concatenate([blocks[name] for name in head.blocks], axis=1)
    model = make_network(features.shape[1:])
    model.set_weights([head.weights.astype(np.float32), head.bias.astype(np.float32)])
    learned = softmax(features @ head.weights + head.bias, axis=1)
    figures = [_figures(found, targets, class_weights) for found in (learned, head.probabilities)]
    row = dict(zip(COLUMNS, (1, *figures[0], *figures[1], 0.0), strict=True))
    folds = group_folds(targets, groups, seed)
    familiarity = fit_by_folds(features, targets, folds)
    curve = learning_curve(blocks, head, targets, groups, class_weights[targets], folds, seed)
    left_out = LeftOut(videos, head.probabilities, familiarity)
    table = _table(candidates, head)
    for one in table:
        log.info(
            "%s: balanced accuracy %.3f ± %.3f in the folds%s",
            *(one[name] for name in ("features", "balanced_accuracy", "standard_error")),
            ", the choice" * one["chosen"],
        )
    told = {"embedding": store.spec, "blocks": list(head.blocks), "candidates": table}
    if curve:
        told["learning_curve"] = curve
    of_folds = head.chosen.of_folds
    return Trained(HEAD, model, pd.DataFrame([row]), row, lambda: left_out, told, of_folds)


def _figures(
    probabilities: Floats, targets: NDArray[np.int64], class_weights: NDArray[np.floating]
) -> tuple[float, float]:
    """The mean weighted cross-entropy, as the training loop has it, and the accuracy."""
    chance = probabilities[np.arange(len(targets)), targets]
    losses = -np.log(np.maximum(chance, 1e-7)) * class_weights[targets]
    return float(losses.mean()), float((probabilities.argmax(axis=1) == targets).mean())


def _table(candidates: Mapping[str, tuple[str, ...]], head: RidgeHead) -> list[dict[str, Any]]:
    """A row a candidate, and one of the average where several were averaged."""
    shares = {
        name: sum(share for (of, _), share in head.chosen.shares.items() if of == blocks)
        for name, blocks in candidates.items()
    }
    taken = [name for name, share in shares.items() if share]
    alone = taken[0] if len(taken) == 1 else None
    rows = []
    for name, judged in zip(candidates, head.judged, strict=True):
        rows.append(_row(name, head.chosen if name == alone else judged, name == alone))
        if name in taken and not alone:
            rows[-1]["share"] = round(shares[name], 4)
    return rows if alone else [*rows, _row(f"average of {', '.join(taken)}", head.chosen, True)]


def _row(name: str, judged: Judged, chosen: bool) -> dict[str, Any]:
    return {
        "features": name,
        "balanced_accuracy": round(judged.accuracy, 4),
        "standard_error": round(judged.error, 4),
        "penalties": sorted({penalty for _, penalty in judged.weights}),
        "chosen": chosen,
    }
