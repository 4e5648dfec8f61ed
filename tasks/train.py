"""Stage `train`: fit the network to the training videos, watched by the validation videos.

Reads `data/prepared/` and what the network reads, `data/frames/` or `data/embeddings/`; writes
`models/model.keras`, `models/model.json` (labels, clip, params: all that the model needs to be
used), `plots/train.csv` (a row an epoch, while it happens) and `metrics/train.json`. Each epoch
also goes to MLflow. Run alone with `python -m tasks.train`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.csv_table import write_table
from reelflow.base.determinism import deterministic
from reelflow.base.errors import DataError
from reelflow.base.files import write_json
from reelflow.networks import reads, transfer
from reelflow.params import load_section
from reelflow.params.train import TrainParams
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.store.frame_store import FrameStore
from reelflow.tracking.live_run import LiveRun
from reelflow.tracking.mlflow_client import address_from_environment, experiment_from_environment
from reelflow.training.augmentation import Augmentation
from reelflow.training.fit import OnEpoch, fit
from reelflow.training.recipe import Recipe
from reelflow.training.transfer import fit_transfer
from tasks.common.paths import (
    EMBEDDINGS,
    FRAMES,
    METRICS,
    MODEL,
    MODEL_CARD,
    PARAMS,
    PLOTS,
    PREPARED,
)
from tasks.common.stage import run

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

CURVES = PLOTS / "train.csv"


@dataclass(frozen=True)
class Trained:
    """What a training leaves behind.

    Attributes:
        model: with the weights that are kept.
        history: a row an epoch.
        best: the row of the epoch whose weights are kept.
        told: what the card holds beside, of networks that read embeddings.
    """

    model: keras.Model
    history: pd.DataFrame
    best: Mapping[str, float]
    told: dict[str, Any] = field(default_factory=dict)


def main() -> None:
    """Train, write the model, its card and the metrics, and log the epochs to MLflow."""
    params = load_section(PARAMS, TrainParams)
    meta = json.loads((PREPARED / "meta.json").read_text(encoding="utf-8"))
    store = FrameStore(FRAMES)
    if store.spec.to_dict() != meta["clip"]:
        raise DataError(f"{FRAMES} and {PREPARED} are of different clips: run `preprocess` again.")
    live = LiveRun(address_from_environment(), experiment_from_environment(), params.in_use())
    deterministic()
    try:
        trained = _train(params, meta, store, live)
    except BaseException as error:
        live.abandon("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    model_hash = _save(trained, params, meta)
    write_json(METRICS / "train.json", _metrics(trained, params))
    live.finish(model_hash, meta["data_hash"])


def _train(params: TrainParams, meta: dict[str, Any], store: FrameStore, live: LiveRun) -> Trained:
    def on_epoch(history: pd.DataFrame) -> None:
        write_table(CURVES, history)
        last = history.iloc[-1]
        live.epoch(int(last["epoch"]), last.drop("epoch").to_dict())

    def make_network(shape: tuple[int, ...]) -> keras.Model:
        from reelflow.networks import build

        scale = meta["normalisation"]
        own = params.settings(params.network)
        return build(params.network, shape, len(meta["labels"]), scale["mean"], scale["std"], own)

    splits = [
        pd.read_csv(PREPARED / f"{name}.csv", dtype={"hash": str, "group": str})
        for name in ("train", "validation")
    ]
    weights = np.array([meta["class_weights"][label] for label in meta["labels"]], np.float32)
    if reads(params.network) == "embeddings":
        return _train_on_embeddings(params, make_network, pd.concat(splits), weights, on_epoch)
    fitted = fit(
        lambda: make_network(store.spec.shape), store, *splits, weights, recipe(params), on_epoch
    )
    return Trained(fitted.model, fitted.history, fitted.best)


def _train_on_embeddings(
    params: TrainParams,
    make_network: Callable[[tuple[int, ...]], keras.Model],
    videos: pd.DataFrame,
    weights: NDArray[np.float32],
    on_epoch: OnEpoch,
) -> Trained:
    """Videos that others watch are learned from too: what is chosen is chosen by folds."""
    store = EmbeddingStore(EMBEDDINGS)
    settings = params.settings(params.network)
    assert isinstance(settings, transfer.Settings)
    videos = videos[videos["hash"].isin(store.hashes)]
    fitted = fit_transfer(
        make_network,
        store,
        videos,
        transfer.candidates(settings, store.blocks),
        weights,
        params.seed,
    )
    on_epoch(fitted.history)
    for one in fitted.candidates:
        log.info(
            "%s: balanced accuracy %.3f ± %.3f in the folds%s",
            one["features"], one["balanced_accuracy"], one["standard_error"],
            ", chosen" if one["chosen"] else "",
        )  # fmt: skip
    told = {
        "embedding": store.spec, "blocks": list(fitted.blocks), "candidates": fitted.candidates
    }  # fmt: skip
    return Trained(fitted.model, fitted.history, fitted.history.iloc[0].to_dict(), told)


def recipe(params: TrainParams) -> Recipe:
    """How to fit, as the section `train` says it."""
    names = Recipe.__dataclass_fields__.keys() - {"augmentation"}
    augmentation = Augmentation(params.shift, params.brightness, params.flip)
    return Recipe(**{name: getattr(params, name) for name in names}, augmentation=augmentation)


def _save(fitted: Trained, params: TrainParams, meta: dict[str, Any]) -> str:
    """Write the model and what it needs to be used; return the hash of the model's file."""
    from reelflow.training.model_file import save_model, weights_hash

    model_hash = save_model(fitted.model, MODEL)
    card = {
        "labels": meta["labels"],
        "clip": ClipSpec(**meta["clip"]).seen.to_dict(),
        "data_hash": meta["data_hash"],
        "network": params.network,
        "params": params.in_use(),
        "weights_hash": weights_hash(fitted.model),
        **fitted.told,
    }
    write_json(MODEL_CARD, card)
    return model_hash


def _metrics(fitted: Trained, params: TrainParams) -> dict[str, Any]:
    best = fitted.best
    return {
        "network": params.network,
        "parameters": int(fitted.model.count_params()),
        "epochs": len(fitted.history),
        "best_epoch": int(best["epoch"]),
        **{name: round(best[name], 6) for name in ("loss", "accuracy", "val_loss", "val_accuracy")},
    }


if __name__ == "__main__":
    run("train", main)
