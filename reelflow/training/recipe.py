"""How a network is fitted: the settings of gradient descent, and the optimizer that they name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reelflow.training.augmentation import Augmentation

if TYPE_CHECKING:
    import keras

# Share of the steps in which the learning rate rises: the first gradients of fresh weights are
# large and say little.
_WARMUP = 0.05


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

    def passes(self, clips: int) -> int:
        """Passes over the clips in an epoch: the fewest that give `min_steps`, the last step of
        which may be a smaller batch."""
        return math.ceil(((self.min_steps - 1) * self.batch_size + 1) / clips)

    def steps(self, clips: int) -> int:
        """Gradient steps of an epoch."""
        return math.ceil(clips * self.passes(clips) / self.batch_size)


def optimizer_of(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe for a training of `steps` gradient steps."""
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
