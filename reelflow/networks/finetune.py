"""A pretrained network a frame and a head over time; the network's last blocks are trained further.

MobileNet v1 (Howard et al. 2017; alpha 0.25, ImageNet, packed with this project) reads each frame.
Its first blocks stay as they are: they see edges and textures, which are those of any picture, and
a few hundred videos would unlearn them. With no block trained it is a frozen network.

The head has the mean of its last maps over the picture, and how much they change from one frame to
the next, place by place. It takes the mean of both over the clip; or reads them a frame, in order:
a GRU (Cho et al. 2014), or one layer of self-attention with learned positions (Vaswani et al. 2017;
over the frames of a clip: ViViT's "factorised encoder", Arnab et al., ICCV 2021).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from reelflow.base.section import Section
from reelflow.networks import Shape
from reelflow.networks.shared_settings import Dropout

if TYPE_CHECKING:
    import keras

# Smaller pictures are enlarged: the network was trained on 224x224, and a map of few places is
# no map.
_LEAST_SIDE = 112
_BLOCKS = 13
# Numbers a frame and a clip, of the heads that read frames in order.
_STATE = 96

PURPOSE = "a pretrained network, trained further: hundreds of videos"


class Settings(Section):
    """How much of the network is trained, and the head."""

    trained_blocks: int = Field(3, ge=0, le=_BLOCKS)
    over_time: Literal["mean_and_change", "gru", "attention"] = "mean_and_change"
    units: int = Field(0, ge=0, le=4096)
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
    if settings.over_time == "mean_and_change":
        x = layers.Concatenate()([ops.mean(maps, axis=(1, 2, 3)), _changes(maps)])
        x = layers.LayerNormalization()(x)
    else:
        x = _in_order(_a_frame(maps), settings.over_time)
    x = layers.Dropout(settings.dropout)(x)
    if settings.units:
        x = layers.Dense(settings.units, activation="relu")(x)
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


def _a_frame(maps: Any) -> Any:
    """(B, T, h, w, C) -> (B, T, 2 C): means over the picture, and of the change since the frame
    before, 0 for the first."""
    from keras import layers, ops

    before = ops.concatenate([maps[:, :1], maps[:, :-1]], axis=1)
    parts = [ops.mean(each, axis=(2, 3)) for each in (maps, ops.abs(maps - before))]
    return layers.LayerNormalization()(layers.Concatenate()(parts))


def _in_order(x: Any, how: str) -> Any:
    """(B, T, D) -> (B, S): the mean over time of what a layer makes of a frame and the others."""
    from keras import layers

    if how == "gru":
        x = layers.GRU(_STATE, return_sequences=True)(x)
    else:
        # Its bias, one a frame, is the learned position.
        x = layers.EinsumDense(
            "btd,de->bte", (x.shape[1], _STATE), bias_axes="te", bias_initializer="random_normal"
        )(x)
        query, key, value = (layers.Dense(_STATE)(x) for _ in range(3))
        x = x + layers.Attention(use_scale=True)([query, value, key])
    return layers.GlobalAveragePooling1D()(x)
