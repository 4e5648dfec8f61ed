"""A small residual network of (2+1)D convolutions: in space, then in time.

Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition", CVPR 2018:
a 3-D convolution split into a spatial one (1×3×3) and a temporal one (3×1×1) with a ReLU between
is easier to fit than the full one and sees motion, which averaging frames cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reelflow.networks import Shape
from reelflow.networks.shared_settings import WidthAndDropout

if TYPE_CHECKING:
    import keras

PURPOSE = "motion from the pixels on; from some fifty clips a class"


Settings = WidthAndDropout


def build(
    shape: Shape, classes: int, mean: Sequence[float], std: Sequence[float], settings: Settings
) -> keras.Model:
    """Clips of any size; `width` filters at first, six times as many at the end."""
    import keras
    from keras import layers

    from reelflow.networks.layers import clips, probabilities

    inputs, x = clips(shape, mean, std)
    width = settings.width
    x = _convolution(x, width, (1, 5, 5), stride=(1, 2, 2))
    x = _convolution(x, width, (3, 1, 1))
    for filters, in_time in ((width * 3 // 2, 1), (width * 3, 2), (width * 6, 2)):
        x = _block(x, filters, in_time)
    x = layers.GlobalAveragePooling3D()(x)
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(inputs, probabilities(x, classes), name="r2plus1d")


def _block(x: Any, filters: int, in_time: int) -> Any:
    """Two (2+1)D convolutions and a shortcut around them, strided by 2 in space."""
    from keras import layers

    y = _convolution(x, filters, (1, 3, 3), (1, 2, 2))
    y = _convolution(y, filters, (3, 1, 1), (in_time, 1, 1))
    y = _convolution(y, filters, (1, 3, 3))
    y = _convolution(y, filters, (3, 1, 1), activation=False)
    x = _convolution(x, filters, (1, 1, 1), (in_time, 2, 2), activation=False)
    return layers.ReLU()(layers.Add()([x, y]))


def _convolution(
    x: Any,
    filters: int,
    kernel: tuple[int, int, int],
    stride: tuple[int, int, int] = (1, 1, 1),
    activation: bool = True,
) -> Any:
    from keras import layers

    from reelflow.networks.layers import normalised

    x = layers.Conv3D(filters, kernel, strides=stride, padding="same", use_bias=False)(x)
    x = normalised(x)
    return layers.ReLU()(x) if activation else x
