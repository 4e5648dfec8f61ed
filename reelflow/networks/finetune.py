"""A pretrained network whose last blocks are trained further.

MobileNet v1 (Howard et al. 2017; alpha 0.25, ImageNet, packed with this project) reads each frame.
What it sees of the clip is the mean of its last maps, and how much they change from one frame to
the next, place by place. Its first blocks stay as they are: they see edges and textures, which are
those of any picture, and a few hundred videos would unlearn them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field

from reelflow.base.section import Section
from reelflow.networks import Dropout, Shape

if TYPE_CHECKING:
    import keras

# Smaller pictures are enlarged: the network was trained on 224x224, and a map of few places is
# no map.
_LEAST_SIDE = 112
_BLOCKS = 13

PURPOSE = "a pretrained network, trained further: hundreds of videos"


class Settings(Section):
    """How much of the network is trained, and dropout."""

    trained_blocks: int = Field(
        3, ge=0, le=_BLOCKS, description="of the 13 blocks, the last so many are trained"
    )
    dropout: Dropout = 0.3


def build(
    shape: Shape, classes: int, mean: Sequence[float], std: Sequence[float], settings: Settings
) -> keras.Model:
    """Any frames. `mean` and `std` are not used: the network's own scaling is that of ImageNet."""
    import keras
    from keras import layers, ops

    from reelflow.backbones import mobilenet
    from reelflow.networks.layers import batch_as_frames, frames_as_batch, probabilities

    frames, *sides, _ = shape
    inputs = keras.Input(shape, dtype="uint8", name="clip")
    x = ops.cast(frames_as_batch(inputs), "float32")
    if min(sides) < _LEAST_SIDE:
        scale = _LEAST_SIDE / min(sides)
        x = layers.Resizing(*(round(side * scale) for side in sides))(x)
    seen = mobilenet(x)
    for layer in seen.layers:
        layer.trainable = _is_trained(layer, settings.trained_blocks)
    maps = batch_as_frames(seen.output, frames)
    x = layers.Concatenate()([ops.mean(maps, axis=(1, 2, 3)), _changes(maps)])
    x = layers.Dropout(settings.dropout)(layers.LayerNormalization()(x))
    return keras.Model(inputs, probabilities(x, classes), name="finetune")


def _is_trained(layer: Any, blocks: int) -> bool:
    """Whether a layer belongs to the last blocks. Statistics of batches stay those of ImageNet:
    those of a few clips are noise."""
    from keras import layers

    block = re.match(r"conv_[dp]w_(\d+)", layer.name)
    last = block is not None and int(block[1]) > _BLOCKS - blocks
    return last and not isinstance(layer, layers.BatchNormalization)


def _changes(maps: Any) -> Any:
    """(B, T, h, w, C) -> (B, C): the mean absolute change from a frame to the next, 0 for one."""
    from keras import ops

    if maps.shape[1] < 2:
        return ops.zeros_like(maps[:, 0, 0, 0])
    return ops.mean(ops.abs(maps[:, 1:] - maps[:, :-1]), axis=(1, 2, 3))
