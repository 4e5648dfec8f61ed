"""A plain convolutional network a frame; the scores of the frames are averaged over the clip.

Three times a 3×3 convolution (32, 64, 128 filters, ReLU) and a 2×2 max pooling, then Flatten,
Dense 128 and softmax: the classic small image classifier. It cannot see motion: the order of the
frames makes no difference. That is its use, as the baseline that shows whether looks suffice
(averaging over time: "single frame" and "late fusion" in Karpathy et al., "Large-scale Video
Classification with Convolutional Neural Networks", CVPR 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reelflow.base.section import Section
from reelflow.networks import Shape

if TYPE_CHECKING:
    import keras

PURPOSE = "the plain baseline: how things look, no motion"


class Settings(Section):
    """None of its own."""


def build(
    shape: Shape, classes: int, mean: Sequence[float], std: Sequence[float], settings: Settings
) -> keras.Model:
    """Frames of at least 8×8 pixels. At 64×64: 1.1 M weights, nearly all in the first Dense."""
    import keras
    from keras import layers

    from reelflow.networks.layers import batch_as_frames, clips, frames_as_batch, probabilities

    inputs, x = clips(shape, mean, std, least=8)
    x = frames_as_batch(x)
    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    x = batch_as_frames(probabilities(x, classes), shape[0])
    return keras.Model(inputs, layers.GlobalAveragePooling1D()(x), name="cnn")
