"""What a network costs: multiply-adds, counted from its shapes, and seconds on this machine."""

from __future__ import annotations

import math
import timeit
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

_ROUNDS = 5


def multiply_adds(model: keras.Model) -> int:
    """Multiply-adds of one clip, forwards: the weights of each convolution, dense and recurrent
    layer times the places at which they are used. Normalisation, pooling and activations are left
    out, as in the literature.
    """
    import keras

    layers = [layer for layer in model.layers if _kernels(layer)]
    # The shapes of one clip, since frames that were folded into the batch count as well.
    clip = keras.KerasTensor((1, *model.inputs[0].shape[1:]), model.inputs[0].dtype)
    seen = keras.Model(model.inputs, [[layer.input, layer.output] for layer in layers])
    return sum(
        math.prod(kernel.shape) * _places(layer, before.shape, after.shape)
        for layer, (before, after) in zip(layers, seen.compute_output_spec(clip), strict=True)
        for kernel in _kernels(layer)
    )


def seconds(call: Callable[[], object]) -> float:
    """The median seconds of a few calls, after one that compiles."""
    call()
    return median(timeit.repeat(call, number=1, repeat=_ROUNDS))


def _kernels(layer: Any) -> list[Any]:
    """The weights of a layer that are used at every place."""
    holder = getattr(layer, "cell", layer)
    names = ("kernel", "recurrent_kernel")
    return [kernel for name in names if (kernel := getattr(holder, name, None)) is not None]


def _places(layer: Any, before: tuple[int, ...], after: tuple[int, ...]) -> int:
    """How often a layer uses its weights: a recurrent one at each step, others at each output."""
    return math.prod(before[:-1]) if hasattr(layer, "cell") else math.prod(after[:-1])
