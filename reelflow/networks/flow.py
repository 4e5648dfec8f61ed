"""How things move, and nothing of how they look: optical flow is found inside the network.

On new scenes looks mislead and motion carries over; and a few hundred clips are too few to learn
from pixels what motion is. So it is not learned here: flow is the least-squares solution of Lucas
and Kanade ("An Iterative Image Registration Technique", IJCAI 1981) in each cell of a grid, at two
degrees of blur. What is learned starts at filters that are known to describe actions: flow in eight
directions and its gradients ("motion boundaries"; Dalal, Triggs and Schmid, ECCV 2006). Of these
maps and of their changes in time the network takes how much there is where most is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelflow.base.section import Section
from reelflow.networks import Shape
from reelflow.networks.shared_settings import Dropout

if TYPE_CHECKING:
    import keras

PURPOSE = "motion alone, from optical flow; some hundred clips, frames close in time"

# Fine and coarse motion: deviation of the blur in pixels, rows and columns of the grid of cells.
_SCALES = ((1.2, 16), (2.4, 8))
# Share of the cells that count as those where most is.
_MOST = 0.05
# Squared gradient below which a cell has nothing to follow, where the pictures' deviation is 1.
_FLAT = 0.03
# Of the square root of a statistic, whose slope at 0 would be infinite.
_SMALLEST = 1e-4


class Settings(Section):
    """Dropout."""

    dropout: Dropout = 0.2


def build(
    shape: Shape, classes: int, mean: Sequence[float], std: Sequence[float], settings: Settings
) -> keras.Model:
    """Frames of at least 16×16 pixels, best of about 64 and a twelfth of a second apart."""
    import keras
    from keras import layers, ops

    from reelflow.networks.layers import clips, normalised, probabilities

    inputs, x = clips(shape, mean, std, least=16)
    grey = ops.mean(x, axis=-1, keepdims=True)
    if shape[0] == 1:  # a single frame stands still
        grey = ops.concatenate([grey, grey], axis=1)
    # A video that is too short or too slow repeats frames, which says nothing of its motion.
    pixels = ops.reshape(grey, (-1, grey.shape[1], shape[1] * shape[2]))
    moves = ops.any(pixels[:, 1:] != pixels[:, :-1], axis=2)
    moves = ops.cast(moves, "float32")[:, :, None, None]
    found: list[Any] = []
    for blur, grid in _SCALES:
        found += _statistics(_described(flow_of(grey, blur, grid)), moves)
    x = ops.sqrt(ops.concatenate(found, axis=-1) + _SMALLEST)
    x = layers.Dropout(settings.dropout)(normalised(x))
    return keras.Model(inputs, probabilities(x, classes), name="flow")


def flow_of(grey: Any, blur: float, grid: int) -> Any:
    """(B, T, H, W, 1) -> (B, T - 1, grid, grid, 2): how many pixels each cell moves right and
    down from frame to frame, less where it shows little."""
    from keras import layers, ops

    from reelflow.networks.layers import batch_as_frames, frames_as_batch

    frames, height, width = grey.shape[1:4]
    reach = math.ceil(3 * blur)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * blur**2))
    weights /= weights.sum()
    x = _fixed(frames_as_batch(grey), weights[:, None, None, None])
    x = _fixed(x, weights[None, :, None, None])
    slope = np.zeros((3, 3, 1, 2))
    slope[1, [0, 2], 0, 0] = slope[[0, 2], 1, 0, 1] = -0.5, 0.5
    slopes = batch_as_frames(_fixed(x, slope), frames)
    x = batch_as_frames(x, frames)
    in_time = x[:, 1:] - x[:, :-1]
    in_space = (slopes[:, 1:] + slopes[:, :-1]) / 2
    right, down = in_space[..., :1], in_space[..., 1:]
    products = (right * right, right * down, down * down, right * in_time, down * in_time)
    x = frames_as_batch(ops.concatenate(products, axis=-1))
    x = layers.AveragePooling2D((height // grid, width // grid))(x)
    xx, xy, yy, xt, yt = ops.split(batch_as_frames(x, frames - 1), 5, axis=-1)
    xx, yy = xx + _FLAT, yy + _FLAT
    moved = ops.concatenate([xy * yt - yy * xt, xy * xt - xx * yt], axis=-1)
    return moved / (xx * yy - xy * xy)


def _fixed(x: Any, kernel: NDArray[np.float64]) -> Any:
    """A convolution that is not learned."""
    from keras import layers

    layer = layers.Conv2D(
        kernel.shape[-1], kernel.shape[:2], padding="same", use_bias=False, trainable=False
    )
    layer.build(x.shape)
    layer.set_weights([kernel])
    return layer(x)


def _described(flow: Any) -> Any:
    """(B, R, h, w, 2) -> (B, R, h w, 16): how much goes in eight directions and how much it differs
    from cell to cell, to begin with; this is learned further."""
    from keras import layers

    from reelflow.networks.layers import batch_as_frames, frames_as_batch

    angles = np.arange(8) * np.pi / 4
    kernel = np.zeros((3, 3, 2, 16))
    kernel[1, 1, :, :8] = np.cos(angles), np.sin(angles)
    for part in (0, 1):
        kernel[1, [0, 2], part, 8 + part] = kernel[[0, 2], 1, part, 10 + part] = -0.5, 0.5
    kernel[..., 12:] = -kernel[..., 8:12]
    layer = layers.Conv2D(16, 3, padding="same", use_bias=False, activation="relu")
    cells = frames_as_batch(flow)
    layer.build(cells.shape)
    layer.set_weights([kernel])
    maps = layers.Reshape((-1, kernel.shape[-1]))(layer(cells))
    return batch_as_frames(maps, flow.shape[1])


def _statistics(maps: Any, moves: Any) -> list[Any]:
    """Of maps (B, R, h w, C) and their changes after one and two frames, each (B, C): the mean
    over time where it is largest, and of the whole picture.

    Args:
        moves: (B, R, 1, 1), 1 where the picture changes, else 0: it is left out.
    """
    from keras import ops

    most = max(1, round(_MOST * maps.shape[2]))
    found = []
    for lag in range(min(3, maps.shape[1])):
        x, counts = maps, moves
        if lag:
            x, counts = x[:, lag:] - x[:, :-lag], counts[:, lag:] * counts[:, :-lag]
        number = ops.maximum(ops.sum(counts, axis=1), 1.0)
        cells = ops.moveaxis(ops.sum(ops.abs(x) * counts, axis=1) / number, 1, 2)
        whole = ops.abs(ops.mean(x, axis=2)) * counts[:, :, 0]
        found += [
            ops.mean(ops.top_k(cells, most)[0], axis=-1),
            ops.sum(whole, axis=1) / number[:, 0],
        ]
    return found
