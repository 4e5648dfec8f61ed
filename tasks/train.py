"""Stage `train`: fit the network to the training videos, watched by the validation videos.

Reads `data/prepared/` and `data/frames/`; writes `models/model.keras`, `models/model.json` (labels,
clip, params: all that the model needs to be used), `plots/train.csv` (a row an epoch, while it
happens) and `metrics/train.json`. Each epoch also goes to MLflow. Run alone with
`python -m tasks.train`.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
import pandas as pd

from reelflow.base.csv_table import write_table
from reelflow.base.errors import DataError
from reelflow.base.files import write_json
from reelflow.params import load_section
from reelflow.params.train import TrainParams
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.tracking.live_run import LiveRun
from reelflow.tracking.mlflow_client import address_from_environment, experiment_from_environment
from reelflow.training.augmentation import Augmentation
from reelflow.training.fit import State, fit
from reelflow.training.predict_clip import deterministic
from reelflow.training.recipe import Recipe
from tasks.common.paths import FRAMES, METRICS, MODEL, MODEL_CARD, PARAMS, PLOTS, PREPARED
from tasks.common.stage import run

log = logging.getLogger(__name__)

CURVES = PLOTS / "train.csv"


def main() -> None:
    params = load_section(PARAMS, TrainParams)
    meta = json.loads((PREPARED / "meta.json").read_text(encoding="utf-8"))
    store = FrameStore(FRAMES)
    if store.spec.to_dict() != meta["clip"]:
        raise DataError(f"{FRAMES} and {PREPARED} are of different clips: run `preprocess` again.")
    live = LiveRun(address_from_environment(), experiment_from_environment(), params.in_use())
    deterministic()
    try:
        fitted = _fit(params, meta, store, live)
    except BaseException as error:
        live.abandon("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    model_hash = _save(fitted, params, meta)
    write_json(METRICS / "train.json", _metrics(fitted, params))
    live.finish(model_hash, meta["data_hash"])


def _fit(params: TrainParams, meta: dict[str, Any], store: FrameStore, live: LiveRun) -> State:
    from reelflow.networks import build

    labels, scale = meta["labels"], meta["normalisation"]
    own = params.settings(params.network)

    def make_network() -> Any:
        return build(
            params.network, store.spec.shape, len(labels), scale["mean"], scale["std"], own
        )

    def on_epoch(history: pd.DataFrame) -> None:
        write_table(CURVES, history)
        last = history.iloc[-1]
        live.epoch(int(last["epoch"]), last.drop("epoch").to_dict())

    splits = {
        name: pd.read_csv(PREPARED / f"{name}.csv", dtype={"hash": str})
        for name in ("train", "validation")
    }
    weights = np.array([meta["class_weights"][label] for label in labels], np.float32)
    return fit(
        make_network,
        store,
        splits["train"],
        splits["validation"],
        weights,
        recipe(params),
        on_epoch,
    )


def recipe(params: TrainParams) -> Recipe:
    """How to fit, as the section `train` says it."""
    names = Recipe.__dataclass_fields__.keys() - {"augmentation"}
    augmentation = Augmentation(params.shift, params.brightness, params.flip)
    return Recipe(**{name: getattr(params, name) for name in names}, augmentation=augmentation)


def _save(fitted: State, params: TrainParams, meta: dict[str, Any]) -> str:
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
    }
    write_json(MODEL_CARD, card)
    return model_hash


def _metrics(fitted: State, params: TrainParams) -> dict[str, Any]:
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
