"""The filters of a network that read the picture itself, as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from reelflow.explain.explainable_model import Frames

if TYPE_CHECKING:
    import keras

# Red, green and blue.
_COLOURS = 3
_GREY = 127.5


def first_filters(model: keras.Model) -> Frames | None:
    """The filters of the first convolution, uint8 (N, h, w, 3); None if none reads colours.

    Grey is a weight of nought; the largest of a filter, of either sign, is as far from it as can
    be. Of a filter that lasts several frames, the one of most weight is shown.
    """
    for layer in model._flatten_layers(include_self=False, recursive=True):
        weights = layer.get_weights()
        if weights and weights[0].ndim in (4, 5) and weights[0].shape[-2] == _COLOURS:
            return _pictures(weights[0])
    return None


def _pictures(kernel: np.ndarray) -> Frames:
    filters = np.moveaxis(kernel, -1, 0)
    if filters.ndim == 5:  # filter, time, row, column, colour
        strongest = np.abs(filters).sum(axis=(2, 3, 4)).argmax(axis=1)
        filters = filters[np.arange(len(filters)), strongest]
    most = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    return np.asarray(np.rint(_GREY + _GREY * filters / np.maximum(most, 1e-12)), np.uint8)
