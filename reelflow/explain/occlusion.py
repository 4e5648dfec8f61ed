"""Occlusion: which parts of a video the answer hangs on, found by blanking them one at a time.

It asks nothing of a model but answers (Zeiler and Fergus, "Visualizing and Understanding
Convolutional Networks", ECCV 2014; here in time, too). A part is blanked with the mean picture of
the clip, blurred: neither the thing nor its motion is left, and no hard edge is drawn. Frames are
blanked by letting the frame before turn into the frame after: what happens in between is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from reelflow.explain.explainable_model import (
    Changed,
    Floats,
    Frames,
    Look,
    Shape3,
    Subject,
    log_odds,
)

# The blur of what stands for a part, as a share of its side; and of the edge of the part.
_BLUR, _EDGE = 0.5, 0.1
# Runs of frames that are blanked, at most.
_MOMENTS = 16


def cells(length: int, count: int) -> list[slice]:
    """`count` neighbouring parts of nearly the same length, fewer if there are not so many."""
    edges = np.linspace(0, length, min(count, length) + 1).round().astype(int)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def grid_of(look: Look, wanted: Shape3) -> Shape3:
    """The grid that a video has room for."""
    time, rows, columns = (min(n, w) for n, w in zip(look.frames.shape[:3], wanted, strict=True))
    return time, rows, columns


def blank(frames: Frames, grid: Shape3) -> Frames:
    """What stands for a part of the clip: its mean picture, blurred, uint8 (H, W, 3)."""
    mean = frames.mean(axis=0, dtype=np.float32)
    height, width = frames.shape[1:3]
    sigma = (_BLUR * height / grid[1], _BLUR * width / grid[2], 0)
    return np.asarray(np.rint(gaussian_filter(mean, sigma, mode="nearest")), np.uint8)


def occlusion_map(subject: Subject, look: Look, target: int) -> Floats:
    """How much the log odds of a class fall without each cell of the grid, (T, rows, columns).

    Above nought: the cell speaks for the class. The cells are `grid_of(look, subject.grid)`, so the
    map has as many numbers as the model was asked questions.
    """
    grid = grid_of(look, subject.grid)
    without = subject.probabilities(look, _without_cells(look, grid))
    return _fall(subject, look, target, without).reshape(grid)


def moments(subject: Subject, look: Look, target: int) -> tuple[list[slice], Floats]:
    """How much the log odds of a class fall without each run of frames: the runs, and (N,)."""
    runs = cells(len(look.frames), _MOMENTS)
    changed = ((run.start, _passed_over(look.frames, run)) for run in runs)
    return runs, _fall(subject, look, target, subject.probabilities(look, changed))


def spread(values: Floats, look: Look) -> Floats:
    """A map of cells as one of pixels, (T, H, W), smooth in space."""
    height, width = look.frames.shape[1:3]
    times = cells(len(look.frames), len(values))
    factors = (height / values.shape[1], width / values.shape[2])
    found = np.empty(look.frames.shape[:3], np.float32)
    for run, plane in zip(times, values, strict=True):
        # Order 1 with `grid_mode`: the middle of a cell keeps its value.
        found[run] = zoom(plane, factors, order=1, mode="nearest", grid_mode=True)
    return found


def gathered(values: Floats, grid: Shape3) -> Floats:
    """A map of pixels (T, H, W) as the means of the cells of a grid."""
    found = values
    for axis, count in enumerate(grid):
        parts = cells(values.shape[axis], count)
        taken = [found.take(range(p.start, p.stop), axis).mean(axis) for p in parts]
        found = np.stack(taken, axis)
    return found


def _fall(subject: Subject, look: Look, target: int, without: NDArray[np.floating]) -> Floats:
    whole = subject.probabilities(look, [(0, look.frames[:1])])
    return np.asarray(log_odds(whole, target) - log_odds(without, target), np.float32)


def _without_cells(look: Look, grid: Shape3) -> Iterator[Changed]:
    stand_in = blank(look.frames, grid)
    for run in cells(len(look.frames), grid[0]):
        for cell in np.ndindex(grid[1:]):
            kept = np.ones(grid[1:], np.float32)
            kept[cell] = 0
            yield run.start, _shown(look.frames[run], kept, stand_in)


def only_cells(look: Look, kept: NDArray[np.bool_]) -> Frames:
    """The video with only these cells of a grid left, bool (t, rows, columns); the others blank."""
    stand_in = blank(look.frames, kept.shape)
    runs = cells(len(look.frames), kept.shape[0])
    parts = [_shown(look.frames[r], k, stand_in) for r, k in zip(runs, kept, strict=True)]
    return np.concatenate(parts)


def _shown(frames: Frames, kept: NDArray[Any], stand_in: Frames) -> Frames:
    """A few frames with cells of a plane (rows, columns) kept, and others blank."""
    down, across = (_soft(n, count) for n, count in zip(frames.shape[1:3], kept.shape, strict=True))
    thick = np.rint(255 * (down @ (1 - kept.astype(np.float32)) @ across.T)).astype(np.uint8)
    mask, under = Image.fromarray(thick), Image.fromarray(stand_in)
    return np.stack(
        [np.asarray(Image.composite(under, Image.fromarray(frame), mask)) for frame in frames]
    )


def _soft(length: int, count: int) -> Floats:
    """How much of each cell is at each pixel of a line, (length, count): 1 inside, soft edges."""
    inside = np.zeros((length, count), np.float32)
    for at, part in enumerate(cells(length, count)):
        inside[part, at] = 1
    return np.asarray(gaussian_filter(inside, (_EDGE * length / count, 0), mode="nearest"))


def _passed_over(frames: Frames, run: slice) -> Frames:
    """The frame before the run turns into the frame after it; at an end it stands still."""
    near = [frames[at] for at in (run.start - 1, run.stop) if 0 <= at < len(frames)] or [frames[0]]
    before, after = near[0].astype(np.float32), near[-1]
    count = run.stop - run.start
    share = (np.arange(1, count + 1, dtype=np.float32) / (count + 1))[:, None, None, None]
    return np.asarray(np.rint(before + share * (after - before)), np.uint8)
