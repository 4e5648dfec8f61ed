"""Two streams: one sees how things look, the other how the picture changes.

Simonyan and Zisserman, "Two-Stream Convolutional Networks for Action Recognition in Videos",
NeurIPS 2014. In place of optical flow, the second stream sees the signed differences of
neighbouring frames (Wang et al., "Temporal Segment Networks", ECCV 2016), several in a row as
channels, from which it can learn directions. The features of both, averaged over time, are
classified together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reelflow.networks import Shape
from reelflow.networks.shared_settings import WidthAndDropout

if TYPE_CHECKING:
    import keras

# Differences that the second stream sees at once, at most.
_IN_A_ROW = 4

PURPOSE = "looks and changes of the picture, side by side"


Settings = WidthAndDropout


def build(
    shape: Shape, classes: int, mean: Sequence[float], std: Sequence[float], settings: Settings
) -> keras.Model:
    """Frames of at least 16×16 pixels; a clip of one frame has the first stream alone."""
    import keras
    from keras import layers

    from reelflow.networks.layers import clips, probabilities

    inputs, x = clips(shape, mean, std, least=16)
    # A few frames show how things look as well as all of them do.
    found = [_stream(x[:, ::4], settings.width)]
    if shape[0] > 1:
        found.append(_stream(_differences(x), settings.width))
    x = layers.Concatenate()(found) if len(found) > 1 else found[0]
    x = layers.Dropout(settings.dropout)(x)
    return keras.Model(inputs, probabilities(x, classes), name="two_stream")


def _differences(x: Any) -> Any:
    """(B, T, H, W, 3) -> (B, R, H, W, N): runs of N grey differences of neighbouring frames, each
    two frames after the one before."""
    from keras import ops

    grey = ops.mean(x, axis=-1, keepdims=True)
    steps = grey[:, 1:] - grey[:, :-1]
    in_a_row = min(_IN_A_ROW, steps.shape[1])
    runs = steps.shape[1] - in_a_row + 1
    return ops.concatenate([steps[:, at : at + runs : 2] for at in range(in_a_row)], axis=-1)


def _stream(x: Any, width: int) -> Any:
    """(B, T, H, W, C) -> (B, F): a small CNN a frame, the mean over time."""
    from keras import layers

    from reelflow.networks.layers import frames_as_batch, mean_over_clip, normalised

    frames = x.shape[1]
    x = frames_as_batch(x)
    for filters in (width, 2 * width, 4 * width, 6 * width):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.MaxPooling2D(2)(layers.ReLU()(normalised(x)))
    return mean_over_clip(x, frames)
