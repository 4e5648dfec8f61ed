"""Several processes that train one network together, on one host or on several.

Each takes its part of every batch (`reelflow.training.batches`); gradients, figures and the
statistics of batch normalisation are summed over all of them, so that a step is that of one process
with the whole batch, but for the order of sums, and each has its own dropout. Who takes part stands
in TensorFlow's environment variable TF_CONFIG. Each process has one device: of several GPUs of a
host, CUDA_VISIBLE_DEVICES gives each process its own.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import DataError, ParamsError, UnavailableError
from reelflow.training.rendezvous import meet

if TYPE_CHECKING:
    import keras

    from reelflow.training.optimizer import Recipe


Made = TypeVar("Made")

log = logging.getLogger(__name__)


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
            ParamsError: TF_CONFIG is none, or its port here cannot be had.
            UnavailableError: others are not there within `WAIT_S`.
            DataError: a process has several devices.
        """
        addresses, index = _place(os.environ.get("TF_CONFIG", ""))
        number = len(addresses)
        if number <= 1:
            return cls()
        meet(addresses, index)
        import tensorflow as tf

        # It reports each collective operation, and it does so through Python's log.
        logging.getLogger("tensorflow").setLevel(logging.WARNING)
        with partners_there():
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        # TensorFlow has taken the signal to end for a notice that nobody reads.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
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
        if recipe.batch_size % self.number:
            raise DataError(
                f"train.batch_size is {recipe.batch_size}, which {self.number} processes cannot "
                f"share evenly. Set it to a multiple of {self.number}."
            )
        return recipe.batch_size // self.number

    def shared(self, model: keras.Model) -> keras.Model:
        """The model, with the same weights in all of them."""
        return self.made(lambda: _copy(model, synchronized=True)) if self.strategy else model

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

    def of_first(self, read: Callable[[], bytes]) -> bytes:
        """What the first of them reads, in each."""
        if not self.strategy:
            return read()
        import tensorflow as tf

        def gathered(values: Any) -> Any:
            context = tf.distribute.get_replica_context()
            return context.all_gather(tf.identity(values), axis=0)

        # A byte more, since TensorFlow crashes where all gather nothing. It gathers no uint8.
        own = np.frombuffer(b"" if self.index else read() + b".", np.uint8).astype(np.int32)
        found = self.compiled(gathered, [tf.TensorSpec((None,), tf.int32)])(own)
        return bytes(np.asarray(found, np.uint8)[:-1])

    def sum(self, values: Any) -> Any:
        """Within a step: the sum over all of them."""
        if not self.strategy:
            return values
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, values)

    def shares(self, gradients: list[Any]) -> list[Any]:
        """Within a step: of the sum of all gradients, the same share for each of them.

        What limits the length of a gradient must see that of the whole batch. The optimizer, which
        limits and then sums, so gets the sum before, and needs the same share of its limit.
        """
        return [each / self.number for each in self.sum(gradients)]

    def figures(self, sums: Any, clips: int) -> Any:
        """The sums of a step over clips, each counted once where all have had the same ones."""
        if not self.strategy:
            return sums  # a tensor: TensorFlow adds it in float32, and other bits choose an epoch
        found: NDArray[np.float64] = np.asarray(sums, np.float64)
        return found * (clips / found[2])


ALONE = Workers()

_ADDRESS = re.compile(r".+:\d{1,5}")


def _place(config: str) -> tuple[list[str], int]:
    """The addresses of the workers that a TF_CONFIG names, and which of them this is."""
    try:
        read = json.loads(config or "{}")
        chiefs, workers = (read.get("cluster", {}).get(kind, []) for kind in ("chief", "worker"))
        addresses = [*chiefs, *workers]
        if len(addresses) <= 1:
            return addresses, 0
        task = read["task"]
        index = int(task["index"]) + (len(chiefs) if task["type"] == "worker" else 0)
        named = all(_ADDRESS.fullmatch(each) for each in addresses)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _no_config(config) from None
    if task["type"] not in ("chief", "worker") or not 0 <= index < len(addresses) or not named:
        raise _no_config(config)
    return addresses, index


def _no_config(config: str) -> ParamsError:
    return ParamsError(
        f"The environment variable TF_CONFIG is {config!r}, which names no place among workers. "
        'It is like {"cluster": {"worker": ["host-a:2222", "host-b:2222"]}, '
        '"task": {"type": "worker", "index": 0}}.'
    )


@contextmanager
def partners_there() -> Iterator[None]:
    """Raise `UnavailableError` where TensorFlow finds that another process is not there."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.CancelledError) as error:
        log.info("%s", error)
        raise UnavailableError(
            "Another process of this training has ended or cannot be reached. Start all of them "
            "again: they go on from the last checkpoint."
        ) from error


def _copy(model: keras.Model, *, synchronized: bool) -> keras.Model:
    import keras

    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    for layer in copy.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = synchronized
    return copy
