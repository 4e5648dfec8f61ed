"""Signed statistics of optical flow: where things move to, how fast, how far apart, and when.

The statistics of feature maps know how much changes, not in which direction; and they know the
scene, from which on new scenes nothing follows. Flow knows directions and no scene.

Dense inverse search (Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow using Dense Inverse
Search", ECCV 2016; OpenCV's) on grey pictures whose light and contrast are made even first. The
median of a picture's flow is taken for the camera's own motion and subtracted. What is left is
averaged over cells, and of these the most active ones are looked at: the things that move. Lengths
are shares of the picture's shorter side, times are seconds.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from reelflow.embeddings.statistics import Floats

# The only block of this kind, named as the others are: view, layer, statistic.
FLOW_BLOCK = "whole/flow/statistics"

# Pixels of the shorter side, and of the side of a cell; a longer side has at most four times that.
_SIDE, _CELL, _LONGEST = 128, 4, 4
# Share of the cells that count as the most active.
_ACTIVE = 0.05
_QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_DIRECTIONS = 8
# Shorter steps of time are errors of a file's clock.
_SHORTEST = 1e-3


def flow_statistics(frames: NDArray[np.uint8], seconds: NDArray[np.float64]) -> Floats:
    """Statistics of how things move.

    Args:
        frames: uint8 RGB (T, H, W, 3), in order of time, T at least 1.
        seconds: float64 (T,), when each is shown, rising.

    Returns:
        float32 (79,), all zero for a single frame. Quantiles over time of the velocity right and
        down of the most active cells, of its spread among them, of their speed, of that of all
        cells, and of the share of cells that move nearly as fast. The mean velocity to the right,
        down, left and up; its mean change from frame to frame; what changes from the first half to
        the second; a histogram of the directions of the most active cells, by speed. Of all these
        the square roots, with their signs, so that a few large ones count for less. Then for which
        share of the time it goes right and down, and a histogram of directions by number.
    """
    return summary(per_second(velocities(frames), seconds))


def per_second(moves: NDArray[np.float64], seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """What moves from frame to frame, (T - 1, cells, 2), by the time (T,) between them."""
    return np.asarray(moves / np.maximum(np.diff(seconds), _SHORTEST)[:, None, None])


def velocities(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How the cells move from each frame to the next without the camera's motion, right and down,
    in shares of the shorter side: float64 (T - 1, cells, 2)."""
    # One thread: sums are ordered in one way; decoders side by side fill the cores.
    cv2.setNumThreads(1)
    height, width = frames.shape[1:3]
    scale = _SIDE / min(height, width)
    size = [min(_LONGEST * _SIDE, _CELL * round(side * scale / _CELL)) for side in (width, height)]
    pictures = [
        cv2.equalizeHist(
            cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
        )
        for frame in frames
    ]
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    rows, columns = size[1] // _CELL, size[0] // _CELL
    moves = np.empty((len(frames) - 1, rows * columns, 2))
    for at, (first, second) in enumerate(pairwise(pictures)):
        flow = finder.calc(first, second, None)  # type: ignore[call-overload]
        flow = flow - np.median(flow, axis=(0, 1))
        cells = flow.reshape(rows, _CELL, columns, _CELL, 2).mean(axis=(1, 3), dtype=np.float64)
        moves[at] = cells.reshape(-1, 2) / _SIDE
    return moves


def summary(moves: NDArray[np.float64]) -> Floats:
    """The statistics of velocities, float64 (T - 1, cells, 2), float32 (79,)."""
    if not len(moves):
        return np.zeros_like(summary(np.zeros((1, *moves.shape[1:]))))
    speeds = np.hypot(moves[..., 0], moves[..., 1])
    count = max(1, round(_ACTIVE * speeds.shape[1]))
    # Of equal speeds always the same ones.
    places = np.argsort(speeds, axis=1, kind="stable")[:, -count:]
    active = np.take_along_axis(moves, places[..., None], axis=1)
    fast = np.take_along_axis(speeds, places, axis=1)
    velocity, spread, peak = active.mean(axis=1), active.std(axis=1), fast.mean(axis=1)
    area = (speeds > peak[:, None] / 2).mean(axis=1)
    series = np.column_stack([velocity, spread, peak, speeds.mean(axis=1)])
    half = (len(series) + 1) // 2
    later = series[half:] if len(series) > half else series[:half]
    rooted = [
        np.quantile(np.column_stack([series, area]), _QUANTILES, axis=0).T.ravel(),
        np.maximum(velocity, 0).mean(axis=0),
        np.maximum(-velocity, 0).mean(axis=0),
        np.abs(np.diff(velocity, axis=0)).mean(axis=0) if len(velocity) > 1 else np.zeros(2),
        later.mean(axis=0) - series[:half].mean(axis=0),
    ]
    turned = (np.arctan2(active[..., 1], active[..., 0]) + np.pi) / (2 * np.pi)
    direction = (turned * _DIRECTIONS).astype(np.int64).ravel() % _DIRECTIONS
    by_speed = np.bincount(direction, fast.ravel(), _DIRECTIONS) / direction.size
    by_number = np.bincount(direction, minlength=_DIRECTIONS) / direction.size
    numbers = np.concatenate([*rooted, by_speed])
    shares = [(velocity > 0).mean(axis=0), by_number]
    return np.concatenate([np.sign(numbers) * np.sqrt(np.abs(numbers)), *shares]).astype(np.float32)
