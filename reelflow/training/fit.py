"""The training loop: gradient descent on batches of clips, the same to the bit each time.

An epoch is a pass of gradient steps over the training clips and a look at the validation clips.
Training stops when the validation loss no longer falls, and the model gets the weights of its best
epoch. All that changes meanwhile is in one `State`. What happens to the figures of each epoch (a
csv, MLflow) is the caller's business: `fit` hands them to a function.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.base.progress import track
from reelflow.base.words import count
from reelflow.store.frame_store import FrameStore
from reelflow.training.batches import Batches
from reelflow.training.checkpoint import Checkpoint
from reelflow.training.optimizer import Recipe, optimizer_of
from reelflow.training.workers import ALONE, Workers, partners_there

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")

# Called after each epoch with a row (`COLUMNS`) for each epoch so far.
OnEpoch = Callable[[pd.DataFrame], None]
# A step takes a batch (frames, targets, weights) and returns float32 (3,): the sums over its clips
# of the weighted loss and of right answers, and their number.
Step = Callable[..., Any]


@dataclass
class State:
    """All that changes while a network is fitted: what a checkpoint must hold.

    Attributes:
        model: the weights, and the seeds of dropout.
        optimizer: its moments, and the number of steps, from which the learning rate follows.
        rows: the figures of each epoch, by name.
        best_epoch: the epoch of the lowest validation loss, from 1; 0 before the first.
        best_weights: the weights after it.
        step: gradient steps of the epoch that are done.
        sums: float64 (2, 3), what its steps and those of validation have returned, summed.
    """

    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    rows: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    best_weights: list[NDArray[Any]] = field(default_factory=list)
    step: int = 0
    sums: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 3)))

    @property
    def epochs(self) -> int:
        """Epochs that are done."""
        return len(self.rows)

    @property
    def history(self) -> pd.DataFrame:
        """A row an epoch (`COLUMNS`)."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS)).astype({"epoch": int})

    @property
    def best(self) -> dict[str, float]:
        """The figures of the best epoch."""
        return self.rows[self.best_epoch - 1]

    def end_epoch(self, row: dict[str, float], window: int = 1) -> None:
        """Add the figures of an epoch; keep its weights if it is the best so far.

        Args:
            row: by name (`COLUMNS`).
            window: compare the mean validation loss of so many epochs up to one, so that a single
                one that was low by chance decides nothing; the first that has so many before it
                is better than those before.
        """
        self.rows.append(row)
        self.step, self.sums = 0, np.zeros((2, 3))
        losses = [row["val_loss"] for row in self.rows]

        def mean(epoch: int) -> float:
            return float(np.mean(losses[max(0, epoch - window) : epoch]))

        if self.epochs <= window or mean(self.epochs) < mean(self.best_epoch):
            self.best_epoch = self.epochs
            self.best_weights = self.model.get_weights()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Give the model its averaged weights for a while, if the optimizer keeps any."""
        if not self.optimizer.use_ema:
            yield
            return
        variables = self.model.trainable_variables
        own = [variable.numpy() for variable in variables]
        self.optimizer.finalize_variable_values(variables)
        yield
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)


@partners_there()
def fit(
    make_network: Callable[[], keras.Model],
    store: FrameStore,
    train: pd.DataFrame,
    validation: pd.DataFrame,
    class_weights: NDArray[np.float32],
    recipe: Recipe,
    on_epoch: OnEpoch,
    checkpoint: Checkpoint | None = None,
    workers: Workers = ALONE,
) -> State:
    """Fit a network to the training clips; its model ends with the weights of its best epoch.

    Args:
        make_network: builds it with fresh weights; called after the seeds are set.
        store: the frames.
        train, validation: the columns `hash` and `target`.
        class_weights: float32 (K,), what a clip of each class counts.
        recipe: how.
        on_epoch: called after each epoch with all epochs so far, a row each; of a training that is
            taken up again, first for each epoch that was done.
        checkpoint: where to take it up, and to keep it meanwhile; removed at the end.
        workers: who trains together; each calls this with the same arguments.

    Raises:
        DataError: the loss became infinite or not a number, frames cannot be read, or the recipe
            is not for several workers.
        UnavailableError: another worker has ended.
    """
    import keras

    keras.utils.set_random_seed(recipe.seed)
    model = workers.shared(make_network())
    size = workers.part(recipe)
    learned = Batches(
        store,
        train,
        size,
        class_weights if recipe.balance == "weights" else np.ones_like(class_weights),
        seed=recipe.seed,
        augmentation=recipe.augmentation,
        mixing=recipe.mixing,
        balanced=recipe.balance == "sampling",
        repeats=recipe.passes(len(train)),
        worker=workers.index,
        workers=workers.number,
    )
    watched = Batches(
        store, validation, size, class_weights, worker=workers.index, workers=workers.number
    )
    all_steps = len(learned) * recipe.epochs
    state = State(model, workers.made(lambda: optimizer_of(recipe, all_steps, workers.number)))
    train_step, validation_step = steps(state, soft=recipe.mixing.soft, workers=workers)
    if checkpoint and checkpoint.restore(state):
        for epochs in range(1, state.epochs + 1):
            on_epoch(state.history[:epochs])
    while state.epochs < recipe.epochs and state.epochs - state.best_epoch < recipe.patience:
        name = f"epoch {state.epochs + 1} of {recipe.epochs}"
        left = learned.epoch(state.epochs, start=state.step)
        for batch in track(left, len(learned) - state.step, name, last_line=False):
            state.sums[0] += workers.figures(train_step(*batch), learned.clips(state.step))
            state.step += 1
            if not math.isfinite(state.sums[0, 0]):
                break
            if checkpoint:
                checkpoint.save_if_due(state)
        with state.averaged():
            for index, batch in enumerate(watched.epoch(0)):
                state.sums[1] += workers.figures(validation_step(*batch), watched.clips(index))
            state.end_epoch(_figures(state, recipe), recipe.stop_window)
        _, *told, _ = state.rows[-1].values()
        log.info("%s: loss %.4f, accuracy %.3f; validation loss %.4f, accuracy %.3f", name, *told)
        on_epoch(state.history)
    model.set_weights(state.best_weights)
    state.model = workers.own(model)
    if checkpoint:
        checkpoint.remove()
    return state


def _figures(state: State, recipe: Recipe) -> dict[str, float]:
    """The row of an epoch whose steps are done."""
    losses, rights, counts = state.sums.T
    if not np.isfinite(losses).all():
        raise DataError(
            f"The loss became infinite after {count(state.epochs + 1, 'epoch')}. Lower "
            f"train.learning_rate (it is {recipe.learning_rate:g})."
        )
    figures = np.stack([losses / counts, rights / counts]).T.ravel()
    rate = float(state.optimizer.learning_rate)
    return dict(zip(COLUMNS, (state.epochs + 1, *map(float, figures), rate), strict=True))


def steps(state: State, *, soft: bool = False, workers: Workers = ALONE) -> tuple[Step, Step]:
    """A gradient step and a step that only looks, each compiled once for any batch size.

    Args:
        state: of the training.
        soft: whether targets of a gradient step are shares of the classes, float32 (B, K).
        workers: who takes a step together.
    """
    import keras
    import tensorflow as tf

    model, optimizer = state.model, state.optimizer
    workers.made(lambda: optimizer.build(model.trainable_variables))
    of_class = keras.losses.SparseCategoricalCrossentropy(reduction="none")
    of_shares = keras.losses.CategoricalCrossentropy(reduction="none")
    clips = tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)
    hard = tf.TensorSpec((None,), tf.int32)
    shares = tf.TensorSpec((None, model.output_shape[-1]), tf.float32)
    weight = tf.TensorSpec((None,), tf.float32)

    def judged(scores: Any, targets: Any, weights: Any) -> Any:
        hard = targets.shape.rank == 1
        losses = (of_class if hard else of_shares)(targets, scores)
        classes = targets if hard else tf.argmax(targets, axis=1, output_type=tf.int32)
        right = tf.equal(tf.argmax(scores, axis=1, output_type=tf.int32), classes)
        return tf.stack(
            [
                tf.reduce_sum(losses * weights),
                tf.reduce_sum(tf.cast(right, tf.float32)),
                tf.cast(tf.size(weights), tf.float32),
            ]
        )

    def train_step(frames: Any, targets: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            sums = judged(model(frames, training=True), targets, weights)
            together = workers.sum(sums)
            # The mean over the clips of the batch, and what layers add (none of ours does). The
            # optimizer sums the gradients of all workers.
            loss = sums[0] / together[2] + sum(model.losses) / workers.number
        gradients = tape.gradient(loss, model.trainable_variables)
        if optimizer.global_clipnorm and workers.number > 1:
            gradients = workers.shares(gradients)
        optimizer.apply(gradients, model.trainable_variables)
        return together

    def validation_step(frames: Any, targets: Any, weights: Any) -> Any:
        return workers.sum(judged(model(frames, training=False), targets, weights))

    return (
        workers.compiled(train_step, [clips, shares if soft else hard, weight]),
        workers.compiled(validation_step, [clips, hard, weight]),
    )
