"""A convolutional network a frame, then a recurrent layer over time.

The frames' features are read in order by a GRU (Cho et al. 2014) or an LSTM (Hochreiter and
Schmidhuber 1997), whose states are averaged and classified: the "long-term recurrent convolutional
network" of Donahue et al., CVPR 2015, small and trained from nothing. Beside a frame the CNN sees
how it differs from the one and the two before. Without these it has to tell motion from where
things are, which the mean over the picture leaves out; it then learns the training clips by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from reelflow.base.section import Section
from reelflow.networks import Shape
from reelflow.networks.shared_settings import Dropout

if TYPE_CHECKING:
    import keras

# A frame is compared with the ones that are so far before it.
_LAGS = (1, 2)

PURPOSE = "looks first, then their order in time"


class Settings(Section):
    """The layer over time, and dropout."""

    recurrent: Literal["gru", "lstm"] = "gru"
    dropout: Dropout = 0.3


def build(
    shape: Shape, classes: int, mean: Sequence[float], std: Sequence[float], settings: Settings
) -> keras.Model:
    """Frames of at least 16×16 pixels."""
    import keras
    from keras import layers

    from reelflow.networks.layers import (
        batch_as_frames,
        clips,
        frames_as_batch,
        normalised,
        probabilities,
    )

    inputs, x = clips(shape, mean, std, least=16)
    x = frames_as_batch(_with_changes(x))
    for filters, kernel, stride in ((24, 5, 2), (48, 3, 2), (96, 3, 2), (96, 3, 1)):
        x = layers.Conv2D(filters, kernel, stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(normalised(x))
    x = batch_as_frames(layers.GlobalAveragePooling2D()(x), shape[0])
    over_time = {"gru": layers.GRU, "lstm": layers.LSTM}[settings.recurrent]
    x = layers.GlobalAveragePooling1D()(over_time(96, return_sequences=True)(x))
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(inputs, probabilities(x, classes), name="cnn_rnn")


def _with_changes(x: Any) -> Any:
    """(B, T, H, W, 3) -> (B, T, H, W, 9): each frame and its differences from those before it,
    which are 0 where there is none."""
    from keras import ops

    parts = [x]
    for lag in _LAGS:
        none = ops.zeros_like(x[:, :lag])
        parts.append(ops.concatenate([none, x[:, lag:] - x[:, :-lag]], axis=1))
    return ops.concatenate(parts, axis=-1)
