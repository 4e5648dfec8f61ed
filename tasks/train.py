"""Stage `train`: fit the network to the training videos, watched by the validation videos.

Reads `data/prepared/` and what the network reads, `data/frames/` or `data/embeddings/`; writes
`models/model.keras`, `models/model.json` (labels, clip, params: all that the model needs to be
used), `models/left_out.csv` (its answers to videos that it did not learn from), `plots/train.csv`
(a row an epoch, while it happens) and `metrics/train.json`. Each epoch also goes to MLflow. Killed
and started again, it goes on from `.reelflow/checkpoints/`. Run alone with `python -m tasks.train`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.csv_table import write_table
from reelflow.base.determinism import deterministic
from reelflow.base.errors import DataError
from reelflow.base.files import write_json
from reelflow.base.section import Section
from reelflow.networks import auto, transfer
from reelflow.params import load_section
from reelflow.params.train import TrainParams
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.store.frame_store import FrameStore
from reelflow.tracking.live_run import LiveRun
from reelflow.tracking.mlflow_client import address_from_environment
from reelflow.training.checkpoint import Checkpoint
from reelflow.training.choose_network import by_work, choose_network
from reelflow.training.fit import COLUMNS, OnEpoch, fit
from reelflow.training.fit_transfer import fit_transfer
from reelflow.training.group_folds import TooFewGroupsError
from reelflow.training.held_out_answers import LeftOut
from reelflow.training.optimizer import recipe
from reelflow.training.training_result import Trained
from reelflow.training.workers import ALONE, Workers
from tasks.common.paths import (
    CHECKPOINTS,
    EMBEDDINGS,
    FAMILIAR,
    FRAMES,
    LEFT_OUT,
    METRICS,
    MODEL,
    MODEL_CARD,
    PARAMS,
    PLOTS,
    PREPARED,
)
from tasks.common.stage import run
from tasks.common.stage_inputs import prepared_splits, read_json

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

CURVES = PLOTS / "train.csv"


def main() -> None:
    """Train, write the model, its card and the metrics, and log the epochs to MLflow."""
    params = load_section(PARAMS, TrainParams)
    meta = read_json(PREPARED / "meta.json")
    store = FrameStore(FRAMES)
    if store.spec.to_dict() != meta["clip"]:
        raise DataError(f"{FRAMES} and {PREPARED} are of different clips: run `preprocess` again.")
    splits = prepared_splits()
    deterministic()
    workers = Workers.of_environment()
    learned = (params, meta, store, EMBEDDINGS, splits["train"], splits["validation"])
    if workers.index:  # the first one keeps what comes out
        Training(*learned, lambda history: None, CHECKPOINTS, workers).run()
        return
    live = LiveRun(address_from_environment(), params.in_use())

    def on_epoch(history: pd.DataFrame) -> None:
        write_table(CURVES, history)
        last = history.iloc[-1]
        live.epoch(int(last["epoch"]), {name: float(last[name]) for name in COLUMNS[1:]})

    try:
        trained = Training(*learned, on_epoch, CHECKPOINTS, workers).run()
        model_hash = _save(trained, params, meta)
        write_json(METRICS / "train.json", _metrics(trained))
    except BaseException as error:
        live.abandon("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    live.finish(model_hash, meta["data_hash"])


@dataclass(frozen=True)
class Training:
    """One training: what it learns from, and how each kind of network is fitted.

    The stage and each fold of a cross-validation are one of these: of files it knows the stores
    alone, and what it learns from comes as tables.

    Attributes:
        params: the section `train`; its network is the one that is trained.
        meta: `labels`, `class_weights` and `normalisation`, as preprocess writes them.
        store: the frames.
        embeddings: the folder of an `EmbeddingStore`, opened if the network reads it.
        train, validation: the columns `hash`, `target` and `group`.
        on_epoch: called after each epoch with a row for each so far.
        checkpoints: from where a training that was killed goes on.
        workers: who trains a network on frames together.
    """

    params: TrainParams
    meta: Mapping[str, Any]
    store: FrameStore
    embeddings: Path
    train: pd.DataFrame
    validation: pd.DataFrame
    on_epoch: OnEpoch
    checkpoints: Path | None = None
    workers: Workers = ALONE

    def run(self) -> Trained:
        """Fit the network that params name, or the one that serves best."""
        name = self.params.network
        settings = self.params.settings(name)
        if isinstance(settings, auto.Settings):
            return self._choose(settings)
        if isinstance(settings, transfer.Settings):
            return self._ended(self._on_embeddings(settings))
        return self._on_frames(name, settings)

    @property
    def class_weights(self) -> NDArray[np.float32]:
        """What a clip of each class counts, float32 (K,)."""
        weights = self.meta["class_weights"]
        return np.array([weights[label] for label in self.meta["labels"]], np.float32)

    def _on_frames(self, name: str, settings: Section) -> Trained:
        fitted = fit(
            lambda: self._network(name, self.store.spec.shape, settings),
            self.store,
            self.train,
            self.validation,
            self.class_weights,
            recipe(self.params),
            self.on_epoch,
            self._checkpoint(name, settings),
            self.workers,
        )
        asked = (fitted.model, self.store, self.train, self.validation)
        left_out = partial(LeftOut.of_frames, *asked)
        return Trained(name, fitted.model, fitted.history, fitted.best, left_out)

    def _checkpoint(self, name: str, settings: Section) -> Checkpoint | None:
        """Where a training on frames is kept: by all that decides how it ends."""
        if not self.checkpoints:
            return None
        how = {**asdict(recipe(self.params)), name: settings.model_dump()}
        videos = [one[["hash", "target"]].values.tolist() for one in (self.train, self.validation)]
        clip = [self.store.id, self.store.spec.to_dict()]
        decisive = {**self.meta, "how": how, "videos": videos, "of": clip}
        return Checkpoint(self.checkpoints, decisive, workers=self.workers)

    def _on_embeddings(self, settings: transfer.Settings) -> Trained:
        """A head. Videos that others watch are learned from too: what is chosen is chosen by
        folds."""
        store = EmbeddingStore(self.embeddings)
        return fit_transfer(
            lambda shape: self._network(auto.HEAD, shape, settings),
            store,
            self._embedded(store),
            transfer.candidates(settings, store.blocks),
            self.class_weights,
            self.params.seed,
        )

    def _choose(self, settings: auto.Settings) -> Trained:
        """The head on embeddings, or a network on frames where that serves better by folds."""
        own, how = settings.challengers.settings(), recipe(self.params)
        networks = {
            name: partial(self._network, name, self.store.spec.shape, one)
            for name, one in own.items()
        }
        try:
            head = self._on_embeddings(transfer.Settings())
        except TooFewGroupsError as error:
            if not own:
                raise
            name = next(iter(by_work(networks, len(self.train), how)))
            log.info("%s Nothing can be chosen: %s is trained.", error, name)
            return self._on_frames(name, own[name])
        # The same videos, or the folds would be others than those of the head.
        videos = self._embedded(EmbeddingStore(self.embeddings))
        name, rows = choose_network(
            networks,
            self.store,
            videos,
            self.class_weights,
            how,
            settings.budget_minutes,
            head.of_folds,
        )
        heads = [{**one, "chosen": one["chosen"] and not name} for one in head.told["candidates"]]
        told = {"candidates": [*heads, *rows]}
        log.info("the choice is %s", name or auto.HEAD)
        if name:
            return replace(self._on_frames(name, own[name]), told=told)
        return self._ended(replace(head, told={**head.told, **told}))

    def _embedded(self, store: EmbeddingStore) -> pd.DataFrame:
        """The training and validation videos that have an embedding."""
        known = pd.concat([self.train, self.validation], ignore_index=True)
        return known[known["hash"].isin(store.hashes)]

    def _network(self, name: str, shape: tuple[int, ...], settings: Section) -> keras.Model:
        from reelflow.networks import build

        scale, classes = self.meta["normalisation"], len(self.meta["labels"])
        return build(name, shape, classes, scale["mean"], scale["std"], settings)

    def _ended(self, trained: Trained) -> Trained:
        self.on_epoch(trained.history)
        return trained


def _save(fitted: Trained, params: TrainParams, meta: dict[str, Any]) -> str:
    """Write the model and what it needs to be used; return the hash of the model's file."""
    from reelflow.training.model_file import save_model, weights_hash

    left_out = fitted.left_out()
    model_hash = save_model(fitted.model, MODEL)
    card = {
        "labels": meta["labels"],
        "clip": ClipSpec(**meta["clip"]).seen.to_dict(),
        "data_hash": meta["data_hash"],
        "network": fitted.network,
        "params": params.in_use(),
        "weights_hash": weights_hash(fitted.model),
        "temperature": left_out.temperature,
        **fitted.told,
    }
    write_json(MODEL_CARD, card)
    write_table(LEFT_OUT, left_out.table(meta["labels"]))
    left_out.familiarity.save(FAMILIAR)
    return model_hash


def _metrics(fitted: Trained) -> dict[str, Any]:
    best = fitted.best
    return {
        "network": fitted.network,
        "parameters": int(fitted.model.count_params()),
        "epochs": len(fitted.history),
        "best_epoch": int(best["epoch"]),
        **{name: round(best[name], 6) for name in ("loss", "accuracy", "val_loss", "val_accuracy")},
    }


if __name__ == "__main__":
    run("train", main)
