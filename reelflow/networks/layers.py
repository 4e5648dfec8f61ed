"""What the networks share: the normalisation at the entrance, and folding time into the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from reelflow.networks import Shape


def clips(
    shape: Shape, mean: Sequence[float], std: Sequence[float], least: int = 1
) -> tuple[Any, Any]:
    """The input, uint8 (B, T, H, W, 3), and the same with mean 0 and deviation 1 a colour.

    Raises `ValueError` where a side of the frames has fewer than `least` pixels.
    """
    height, width = shape[1:3]
    if min(height, width) < least:
        raise ValueError(
            f"This network needs frames of at least {least}x{least} pixels, not {height}x{width}"
        )
    inputs = keras.Input(shape, dtype="uint8", name="clip")
    variance = [float(value) ** 2 for value in std]
    normalised = layers.Normalization(
        mean=[float(value) for value in mean], variance=variance, name="normalisation"
    )(inputs)
    return inputs, normalised


def frames_as_batch(x: Any) -> Any:
    """(B, T, ...) -> (B·T, ...): one large convolution instead of T small ones."""
    return ops.reshape(x, (-1, *x.shape[2:]))


def batch_as_frames(x: Any, frames: int) -> Any:
    """(B·T, ...) -> (B, T, ...), the inverse of `frames_as_batch`."""
    return ops.reshape(x, (-1, frames, *x.shape[1:]))


def mean_over_clip(x: Any, frames: int) -> Any:
    """(B·T, H, W, C) -> (B, C): the mean over space and time."""
    x = batch_as_frames(layers.GlobalAveragePooling2D()(x), frames)
    return layers.GlobalAveragePooling1D()(x)


def normalised(x: Any) -> Any:
    """Batch normalisation of momentum 0.9, not Keras's 0.99: a small set gives a few hundred steps
    in all, and averages that lag behind the weights make validation look like chance."""
    return layers.BatchNormalization(momentum=0.9)(x)


def probabilities(x: Any, classes: int) -> Any:
    """The head: K logits, softmax, in float32 whatever the rest computes in."""
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)
