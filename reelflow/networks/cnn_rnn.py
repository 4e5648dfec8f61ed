"""A convolutional network a frame, then a recurrent layer over time.

The frames' features are read in order by a GRU (Cho et al. 2014) or an LSTM (Hochreiter and
Schmidhuber 1997), whose last state is classified: the "long-term recurrent convolutional network"
of Donahue et al., CVPR 2015, small and trained from nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from reelflow.base.section import Section
from reelflow.networks import Shape

if TYPE_CHECKING:
    import keras

PURPOSE = "looks first, then their order in time"


class Settings(Section):
    """The layer over time, and dropout."""

    recurrent: Literal["gru", "lstm"] = Field("gru", description="the layer over time")
    dropout: float = Field(
        0.3, ge=0.0, lt=1.0, description="share of features left out at random in training"
    )


def build(
    shape: Shape, classes: int, mean: Sequence[float], std: Sequence[float], settings: Settings
) -> keras.Model:
    """Frames of at least 16×16 pixels."""
    import keras
    from keras import layers

    from reelflow.networks.layers import batch_as_frames, clips, frames_as_batch, probabilities

    frames, height, width, _ = shape
    if min(height, width) < 16:
        raise ValueError(f"`cnn_rnn` needs frames of at least 16x16 pixels, not {height}x{width}")
    inputs, x = clips(shape, mean, std)
    x = frames_as_batch(x)
    for filters in (16, 32, 64, 96):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2)(x)
    x = batch_as_frames(layers.GlobalAveragePooling2D()(x), frames)
    x = {"gru": layers.GRU, "lstm": layers.LSTM}[settings.recurrent](96)(x)
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(inputs, probabilities(x, classes), name="cnn_rnn")
