"""Where in a video something moves, camera motion set aside.

In surveillance and wildlife clips a small thing moves before a large background, which is still or
which the camera pans over. A window on what moves, cut at the source's own resolution, shows a
network of small input more than the whole frame does.

The motion of a place is the mean absolute difference of neighbouring frames there. First the second
frame is shifted onto the first by the shift of the whole picture (phase correlation: Kuglin and
Hines, 1975). Then the difference of the whole picture is subtracted: noise, flicker, light.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Half a pixel of parallax or of a shift between pixels is no motion: take the least difference
# within so many pixels around.
_SLACK = 1
# Shifts of the picture that are tried besides none.
_MATCHES = 6


def motion_energy(frames: NDArray[np.uint8], runs: NDArray[np.int64]) -> Floats:
    """How much moves where.

    Args:
        frames: uint8 (N, H, W, 3), small: 128 pixels across are plenty.
        runs: int64 (N,), the number of each frame in its video; only neighbours are compared.

    Returns:
        float32 (H, W), zero where nothing moves, and everywhere if no two frames are neighbours.
    """
    grey = frames.astype(np.float32).mean(axis=-1)
    energy = np.zeros(grey.shape[1:], np.float32)
    for at in np.flatnonzero(np.diff(runs) == 1):
        energy += _moving(grey[at], grey[at + 1])
    return energy


def window(energy: Floats, height: float, width: float) -> tuple[float, float]:
    """Where a window holds most of the energy.

    Args:
        energy: float32 (H, W), of `motion_energy`.
        height, width: of the window, as shares (0 to 1] of the picture's.

    Returns:
        left and top of the window, as shares. Of places with the same energy it takes the nearest
        to the middle of the picture, which is the middle if nothing moves.
    """
    rows, columns = energy.shape
    down = max(1, round(height * rows))
    across = max(1, round(width * columns))
    table = np.zeros((rows + 1, columns + 1))
    table[1:, 1:] = energy.astype(np.float64).cumsum(axis=0).cumsum(axis=1)
    held = (
        table[down:, across:] - table[:-down, across:] - table[down:, :-across]
        + table[:-down, :-across]
    )  # fmt: skip
    top, left = np.mgrid[: held.shape[0], : held.shape[1]]
    off = (top - (rows - down) / 2) ** 2 + (left - (columns - across) / 2) ** 2
    # A thousandth of the most may be rounding: no reason to leave the middle.
    best = np.flatnonzero(held.ravel() >= held.max() * 0.999)
    chosen = int(best[off.ravel()[best].argmin()])
    room = (1 - height, 1 - width)
    spare = (max(1, rows - down), max(1, columns - across))
    return (
        float(room[1] * left.flat[chosen] / spare[1]),
        float(room[0] * top.flat[chosen] / spare[0]),
    )


def _moving(first: Floats, second: Floats) -> Floats:
    """The difference between two frames without the camera's motion, float32 (H, W)."""
    down, right = _shift(first, second)
    nearby = [
        np.abs(first - np.roll(second, (down + y, right + x), axis=(0, 1)))
        for y in range(-_SLACK, _SLACK + 1)
        for x in range(-_SLACK, _SLACK + 1)
    ]
    least = np.min(nearby, axis=0)
    moving = np.maximum(least - np.float32(2) * np.median(least), 0)
    # What came in over an edge has no counterpart.
    edge_down, edge_right = abs(down) + _SLACK, abs(right) + _SLACK
    inside = np.zeros_like(moving)
    inside[edge_down:-edge_down, edge_right:-edge_right] = 1
    return np.asarray(moving * inside, np.float32)


def _shift(first: Floats, second: Floats) -> tuple[int, int]:
    """By how many rows and columns `second` must be rolled to lie on `first`.

    It takes the one of the best matches with the smallest median difference: a large thing that
    moves can match better than the background, but it does not fill half of the picture.
    """
    rows, columns = first.shape
    taper = np.outer(np.hanning(rows), np.hanning(columns))
    one = np.fft.rfft2((first - first.mean()) * taper)
    other = np.fft.rfft2((second - second.mean()) * taper)
    cross = one * other.conj()
    match = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), s=first.shape)
    # More than a quarter of the picture between two frames is a cut or a mistake, not a pan.
    match[rows // 4 + 1 : -(rows // 4)] = -1
    match[:, columns // 4 + 1 : -(columns // 4)] = -1
    places = np.argsort(match, axis=None)[: -_MATCHES - 1 : -1]
    down, right = np.unravel_index(places, match.shape)
    # Shifts below zero stand at the end of a Fourier transform.
    down[down > rows // 2] -= rows
    right[right > columns // 2] -= columns
    return min(
        [(0, 0), *zip(down.tolist(), right.tolist(), strict=True)],
        key=lambda shift: float(np.median(np.abs(first - np.roll(second, shift, axis=(0, 1))))),
    )
