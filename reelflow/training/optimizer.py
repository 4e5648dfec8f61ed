"""How a network is fitted: the settings of gradient descent, and the optimizer that they name."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from reelflow.training.augmentation import Augmentation
from reelflow.training.mixing import Mixing

if TYPE_CHECKING:
    import keras

    from reelflow.params.train import TrainParams

# Where the schedule `step` falls to a tenth, as shares of all steps (He et al., CVPR 2016).
_FALLS = (0.5, 0.75)


@dataclass(frozen=True)
class Recipe:
    """How to fit.

    Attributes:
        epochs: most epochs.
        batch_size: clips a gradient step.
        min_steps: gradient steps of an epoch, at least. Where one pass over the clips gives
            fewer, an epoch is several passes: 30 steps teach nothing, however few the clips.
        optimizer: `sgd`, `adam` or `adamw`.
        learning_rate: the largest.
        momentum: of `sgd`, after Nesterov.
        weight_decay: of `adamw`, apart from the gradient (Loshchilov and Hutter, ICLR 2019).
        patience: epochs without a lower validation loss before it stops.
        seed: of weights, order and augmentation.
        augmentation: of the training clips.
        mixing: of the training clips, and of their labels.
        schedule: `cosine`: to nothing along half a cosine (Loshchilov and Hutter, "SGDR", ICLR
            2017, without restarts); `step`: to a tenth at the half and at three quarters of the
            steps; `constant`.
        warmup: share of the steps in which the learning rate rises: the first gradients of fresh
            weights are large and say little (Goyal et al., "Accurate, Large Minibatch SGD", 2017).
        clip_norm: longest gradient of all weights together, else it is scaled; 0: any.
        average: share that a moving average of the weights keeps in a step; validation sees the
            averaged weights, and the model gets them; 0: the weights themselves (Polyak and
            Juditsky, 1992).
        balance: how classes of different size count the same in training: `weights` (each clip by
            the weight of its class), `sampling` (each class is drawn as often), `none`.
        stop_window: epochs whose mean validation loss decides which epoch is the best.
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
    mixing: Mixing = field(default_factory=Mixing)
    schedule: str = "cosine"
    warmup: float = 0.05
    clip_norm: float = 0.0
    average: float = 0.0
    balance: str = "weights"
    stop_window: int = 1

    def passes(self, clips: int) -> int:
        """Passes over the clips in an epoch: the fewest that give `min_steps`, the last step of
        which may be a smaller batch."""
        return math.ceil(((self.min_steps - 1) * self.batch_size + 1) / clips)

    def steps(self, clips: int) -> int:
        """Gradient steps of an epoch."""
        return math.ceil(clips * self.passes(clips) / self.batch_size)


def recipe(params: TrainParams) -> Recipe:
    """How to fit, by the section `train`, whose settings have the names of the fields here."""
    of = params.model_dump()
    of |= {
        **of["regularise"],
        **of["augment"],
        **of["schedule"],
        "schedule": of["schedule"]["shape"],
    }
    return TypeAdapter(Recipe).validate_python({**of, "augmentation": of, "mixing": of})


def optimizer_of(recipe: Recipe, steps: int, workers: int = 1) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe for a training of `steps` gradient steps.

    Where several workers train together each limits its share of the gradient (`Workers.shares`).
    """
    import keras

    rate = _rate(recipe, steps)
    # What is None is off.
    limits: dict[str, Any] = {"global_clipnorm": recipe.clip_norm / workers or None}
    if recipe.average:
        limits |= {"use_ema": True, "ema_momentum": recipe.average}
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=recipe.momentum, nesterov=True, **limits)
    if recipe.optimizer == "adam":
        return keras.optimizers.Adam(rate, **limits)
    return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **limits)


def _rate(recipe: Recipe, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    import keras

    warmup = max(1, round(recipe.warmup * steps)) if recipe.warmup else 0
    if recipe.schedule == "step":
        return _falling(recipe.learning_rate, warmup, [math.ceil(at * steps) for at in _FALLS])
    return keras.optimizers.schedules.CosineDecay(
        recipe.learning_rate / max(1, warmup),
        decay_steps=max(1, steps - warmup),
        # The share that is left in the end.
        alpha=1.0 if recipe.schedule == "constant" else 0.0,
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def _falling(
    rate: float, warmup: int, falls: list[int]
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Up along a line, as `CosineDecay` has it, then down to a tenth at each of these steps."""
    import keras
    from keras import ops

    class Falling(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            step = ops.cast(step, "float32")
            risen = ops.minimum(1.0, (step * (1 - 1 / warmup) + 1) / warmup) if warmup else 1.0
            fallen = sum(ops.cast(step >= at, "float32") for at in falls)
            return rate * risen * ops.power(0.1, fallen)

    return Falling()
