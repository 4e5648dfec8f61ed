"""Several processes that train one network together, on one host or on several.

Each takes its part of every batch (`reelflow.training.batches`); gradients, figures and the
statistics of batch normalisation are summed over all of them, so that a step is that of one process
with the whole batch, but for the order of sums, and each has its own dropout. Who takes part stands
in TensorFlow's environment variable TF_CONFIG. Each process has one device: of several GPUs of a
host, CUDA_VISIBLE_DEVICES gives each process its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import DataError, ParamsError

if TYPE_CHECKING:
    import keras

    from reelflow.training.recipe import Recipe


Made = TypeVar("Made")


@dataclass(frozen=True)
class Workers:
    """Which of how many processes this is.

    Attributes:
        number: how many train together.
        index: which this is, from 0; the first one keeps what comes out.
        strategy: of tf.distribute; None for one process alone.
    """

    number: int = 1
    index: int = 0
    strategy: Any = None

    @classmethod
    def of_environment(cls) -> Workers:
        """Those of TF_CONFIG. Call before anything else uses TensorFlow: it waits for the others.

        Raises:
            ParamsError: TF_CONFIG is none.
            DataError: a process has several devices.
        """
        number, index = _place(os.environ.get("TF_CONFIG", ""))
        if number == 1:
            return cls()
        import tensorflow as tf

        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        if strategy.num_replicas_in_sync != number:
            raise DataError(
                "Each process of a training takes one device. Start one a GPU, each with its own "
                "CUDA_VISIBLE_DEVICES and its own place in TF_CONFIG."
            )
        return cls(number, index, strategy)

    def part(self, recipe: Recipe) -> int:
        """Clips of a batch for each.

        Raises:
            DataError: the recipe is not for several.
        """
        if self.number > 1 and (recipe.clip_norm or recipe.average):
            raise DataError(
                "train.regularise.clip_norm and train.regularise.average work in one process "
                "alone. Set them to 0, or unset TF_CONFIG."
            )
        if recipe.batch_size % self.number:
            raise DataError(
                f"train.batch_size is {recipe.batch_size}, which {self.number} processes cannot "
                f"share evenly. Set it to a multiple of {self.number}."
            )
        return recipe.batch_size // self.number

    def shared(self, model: keras.Model) -> keras.Model:
        """The model, with the same weights in all of them."""
        if not self.strategy:
            return model
        with self.strategy.scope():
            return _copy(model, synchronized=True)

    def own(self, model: keras.Model) -> keras.Model:
        """A shared model as one that each can use for itself."""
        return _copy(model, synchronized=False) if self.strategy else model

    def made(self, make: Callable[[], Made]) -> Made:
        """What is made, with the same variables in all of them."""
        if not self.strategy:
            return make()
        with self.strategy.scope():
            return make()

    def compiled(self, step: Callable[..., Any], signature: list[Any]) -> Callable[..., Any]:
        """A step as a graph that all run at once."""
        import tensorflow as tf

        def together(*batch: Any) -> Any:
            return self.strategy.run(step, args=batch)

        graph: Callable[..., Any] = tf.function(
            together if self.strategy else step, input_signature=signature
        )
        return graph

    def sum(self, values: Any) -> Any:
        """Within a step: the sum over all of them."""
        if not self.strategy:
            return values
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, values)

    def figures(self, sums: Any, clips: int) -> Any:
        """The sums of a step over clips, each counted once where all have had the same ones."""
        if not self.strategy:
            return sums
        found: NDArray[np.float64] = np.asarray(sums, np.float64)
        return found * (clips / found[2])


ALONE = Workers()


def _place(config: str) -> tuple[int, int]:
    """How many workers a TF_CONFIG names, and which of them this is."""
    try:
        read = json.loads(config or "{}")
        chiefs, workers = (read.get("cluster", {}).get(kind, []) for kind in ("chief", "worker"))
        number = len(chiefs) + len(workers)
        if number <= 1:
            return 1, 0
        task = read["task"]
        index = int(task["index"]) + (len(chiefs) if task["type"] == "worker" else 0)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _no_config(config) from None
    if task["type"] not in ("chief", "worker") or not 0 <= index < number:
        raise _no_config(config)
    return number, index


def _no_config(config: str) -> ParamsError:
    return ParamsError(
        f"The environment variable TF_CONFIG is {config!r}, which names no place among workers. "
        'It is like {"cluster": {"worker": ["host-a:2222", "host-b:2222"]}, '
        '"task": {"type": "worker", "index": 0}}.'
    )


def _copy(model: keras.Model, *, synchronized: bool) -> keras.Model:
    import keras

    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = synchronized
    return copy
