"""Fitting a network by gradient descent, the same to the bit each time on one machine.

`fit` makes the network, runs epochs until the validation loss no longer falls, and returns the
model with the weights of its best epoch. What happens to each epoch's figures (a csv, MLflow, a
line in a log) is the caller's business: it is handed in as a function.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reelflow.batches import Augmentation, Batch, Batches
from reelflow.errors import DataError, ReelflowError
from reelflow.store import FrameStore

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
# Share of the steps in which the learning rate rises: the first gradients of fresh weights are
# large and say little.
_WARMUP = 0.05
# Threads that read batches, and how many batches may lie ready.
_READERS = 2
_AHEAD = 4

OnEpoch = Callable[[pd.DataFrame], None]


@dataclass(frozen=True)
class Recipe:
    """How to fit.

    Attributes:
        epochs: most epochs.
        batch_size: clips a gradient step.
        min_steps: gradient steps of an epoch, at least. Where one pass over the clips gives
            fewer, an epoch is several passes: 30 steps teach nothing, however few the clips.
        optimizer: `sgd`, `adam` or `adamw`.
        learning_rate: the largest. It rises to it over the first twentieth of the steps (Goyal et
            al., "Accurate, Large Minibatch SGD", 2017) and falls to nothing along half a cosine
            (Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts).
        momentum: of `sgd`, after Nesterov.
        weight_decay: of `adamw`, apart from the gradient (Loshchilov and Hutter, ICLR 2019).
        patience: epochs without a lower validation loss before it stops.
        seed: of weights, order and augmentation.
        augmentation: of the training clips.
    """

    epochs: int
    batch_size: int
    min_steps: int
    optimizer: str
    learning_rate: float
    momentum: float
    weight_decay: float
    patience: int
    seed: int
    augmentation: Augmentation


@dataclass(frozen=True)
class Fitted:
    """What came of it: the model with its best weights, and a row an epoch (`COLUMNS`)."""

    model: keras.Model
    history: pd.DataFrame

    @property
    def best(self) -> dict[str, float]:
        """The row whose weights the model has: the first of the lowest validation loss."""
        row = self.history.iloc[int(self.history["val_loss"].argmin())]
        return {str(name): float(value) for name, value in row.items()}


def fit(
    make_network: Callable[[], keras.Model],
    store: FrameStore,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    class_weights: np.ndarray[Any, np.dtype[np.float32]],
    recipe: Recipe,
    on_epoch: OnEpoch,
) -> Fitted:
    """Fit a network to the training clips.

    Args:
        make_network: builds it with fresh weights; called after the seeds are set.
        store: the frames.
        train, validation: the columns `hash` and `target`.
        class_weights: float32 (K,), what a clip of each class counts.
        recipe: how.
        on_epoch: called after each epoch with all epochs so far, a row each.

    Raises:
        DataError: the loss became infinite or not a number, or frames cannot be read.
    """
    import keras

    keras.utils.set_random_seed(recipe.seed)
    model = make_network()
    # The fewest passes that give as many steps, the last of which may be a smaller batch.
    repeats = math.ceil(((recipe.min_steps - 1) * recipe.batch_size + 1) / len(train))
    learned = Batches(
        store,
        train,
        recipe.batch_size,
        class_weights,
        seed=recipe.seed,
        augmentation=recipe.augmentation,
        repeats=repeats,
    )
    watched = Batches(store, validation, recipe.batch_size, class_weights)
    model.compile(
        optimizer=_optimizer(recipe, len(learned) * recipe.epochs),
        loss="sparse_categorical_crossentropy",
        weighted_metrics=[],
        metrics=["accuracy"],
    )
    stop = keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=recipe.patience, restore_best_weights=True
    )
    told = _tell(on_epoch, recipe.epochs)
    with _own_errors(feeds := (_feed(learned), _feed(watched))):
        model.fit(
            feeds[0],
            validation_data=feeds[1],
            epochs=recipe.epochs,
            shuffle=False,
            verbose=1 if sys.stderr.isatty() else 0,
            callbacks=[keras.callbacks.TerminateOnNaN(), told, stop],
        )
    history = told.history_table()
    if not np.isfinite(history[["loss", "val_loss"]].to_numpy(float)).all():
        raise DataError(
            f"The loss became infinite after {len(history)} epochs. Lower train.learning_rate "
            f"(it is {recipe.learning_rate:g}) in params.yaml."
        )
    # Keras restores the best weights only where patience ran out before the epochs did.
    if stop.best_weights is not None:
        model.set_weights(stop.best_weights)
    return Fitted(model, history)


def _feed(batches: Batches) -> Any:
    """Hand batches to Keras, read by two threads of its own while the network computes.

    Threads of TensorFlow would not do: it works on one operation at a time (see
    `reelflow.inference.deterministic`), and reading through `tf.data` is one of them.
    """
    import keras

    class Feed(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(workers=_READERS, max_queue_size=_AHEAD)
            self.epoch = 0
            self.error: ReelflowError | None = None

        @property
        def num_batches(self) -> int:
            return len(batches)

        def __getitem__(self, index: int) -> Batch:
            try:
                return batches.batch(self.epoch, index)
            except ReelflowError as error:
                self.error = error
                raise

        def on_epoch_end(self) -> None:
            self.epoch += 1

    return Feed()


@contextmanager
def _own_errors(feeds: Sequence[Any]) -> Iterator[None]:
    """Raise what went wrong in reading as it was, and not as TensorFlow wraps it."""
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError:
        for feed in feeds:
            if feed.error is not None:
                raise feed.error from None
        raise


def _optimizer(recipe: Recipe, steps: int) -> Any:
    import keras

    warmup = max(1, round(_WARMUP * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / warmup,
        decay_steps=max(1, steps - warmup),
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup,
    )
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=recipe.momentum, nesterov=True)
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(rate)
    return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)


def _tell(on_epoch: OnEpoch, epochs: int) -> Any:
    """A callback that keeps the figures of each epoch, logs a line, and hands them on."""
    import keras

    class Tell(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rows: list[Mapping[str, float]] = []

        def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
            found = {name: float(value) for name, value in (logs or {}).items()}
            rate = float(self.model.optimizer.learning_rate)
            row = {"epoch": epoch + 1, **found, "learning_rate": rate}
            self.rows.append({name: row.get(name, math.nan) for name in COLUMNS})
            log.info(
                "epoch %d of %d: loss %.4f, accuracy %.3f; validation loss %.4f, accuracy %.3f",
                epoch + 1,
                epochs,
                *(self.rows[-1][name] for name in COLUMNS[1:5]),
            )
            on_epoch(self.history_table())

        def history_table(self) -> pd.DataFrame:
            return pd.DataFrame(self.rows, columns=list(COLUMNS)).astype({"epoch": int})

    return Tell()
