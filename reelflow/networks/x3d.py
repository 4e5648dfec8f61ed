"""A small network of depthwise convolutions in space and in time: few weights, little work.

After Feichtenhofer, "X3D: Expanding Architectures for Efficient Video Recognition", CVPR 2020: each
block widens the channels, filters each of them alone, weighs them (squeeze and excitation, Hu et
al., CVPR 2018) and narrows them again, around a shortcut; time keeps its full rate to the end. The
depthwise filter is split into one in space (3×3) and one in time (3), as in MoViNets (Kondratyuk et
al., CVPR 2021): Keras has no depthwise convolution in three dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reelflow.networks import Shape
from reelflow.networks.shared_settings import WidthAndDropout

if TYPE_CHECKING:
    import keras

# Filters of a stage as multiples of `width`, and its blocks; each stage halves the picture.
_STAGES = ((1, 1), (2, 2), (4, 2))
_WIDENED = 3

PURPOSE = "motion with few weights and little work"


Settings = WidthAndDropout


def build(
    shape: Shape, classes: int, mean: Sequence[float], std: Sequence[float], settings: Settings
) -> keras.Model:
    """Clips of any size."""
    import keras
    from keras import layers

    from reelflow.networks.layers import clips, frames_as_batch, mean_over_clip, probabilities

    frames = shape[0]
    inputs, x = clips(shape, mean, std)
    x = layers.Conv2D(settings.width, 3, strides=2, padding="same", use_bias=False)(
        frames_as_batch(x)
    )
    x = _normalised(_in_time(x, frames, kernel=5))
    for multiple, blocks in _STAGES:
        for place in range(blocks):
            x = _block(x, frames, settings.width * multiple, stride=1 if place else 2)
    x = _normalised(layers.Conv2D(_WIDENED * x.shape[-1], 1, use_bias=False)(x))
    x = mean_over_clip(x, frames)
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(inputs, probabilities(x, classes), name="x3d")


def _block(x: Any, frames: int, filters: int, stride: int) -> Any:
    """Widen, filter each channel in space and time, weigh the channels, narrow; (B·T, H, W, C)."""
    from keras import layers

    y = _normalised(layers.Conv2D(_WIDENED * filters, 1, use_bias=False)(x))
    y = _each_channel(y, (3, 3), stride)
    y = _weighed(_normalised(_in_time(y, frames, kernel=3), activation=False), frames)
    y = layers.Conv2D(filters, 1, use_bias=False)(layers.Activation("silu")(y))
    y = _normalised(y, activation=False)
    return layers.Add()([x, y]) if x.shape == y.shape else y


def _in_time(x: Any, frames: int, kernel: int) -> Any:
    """A filter of each channel over `kernel` neighbouring frames; (B·T, H, W, C)."""
    from keras import ops

    _, height, width, channels = x.shape
    x = ops.reshape(x, (-1, frames, height * width, channels))
    return ops.reshape(_each_channel(x, (kernel, 1)), (-1, height, width, channels))


def _each_channel(x: Any, kernel: tuple[int, int], stride: int = 1) -> Any:
    """A depthwise convolution."""
    from keras import initializers, layers

    # Keras's own start counts all channels as inputs of a filter that sees one alone: so small that
    # the signal dies on its way.
    start = initializers.RandomNormal(stddev=1 / math.sqrt(math.prod(kernel)))
    return layers.DepthwiseConv2D(
        kernel, stride, padding="same", use_bias=False, depthwise_initializer=start
    )(x)


def _weighed(x: Any, frames: int) -> Any:
    """Each channel times a weight between 0 and 1 that the whole clip decides."""
    from keras import layers, ops

    from reelflow.networks.layers import mean_over_clip

    channels = x.shape[-1]
    weights = layers.Dense(max(4, channels // 8), activation="relu")(mean_over_clip(x, frames))
    weights = layers.Dense(channels, activation="sigmoid")(weights)
    return x * ops.repeat(weights, frames, axis=0)[:, None, None, :]


def _normalised(x: Any, activation: bool = True) -> Any:
    from keras import layers

    from reelflow.networks.layers import normalised

    x = normalised(x)
    return layers.Activation("silu")(x) if activation else x
