"""What a clip looks like and how it moves, small enough to compare with thousands of others.

A fingerprint is eight grey pictures a second of 16 x 16 pixels, without black bars. Two clips are
similar if their pictures are, and if the *motion* in them is: clips of one camera share the scene,
so the mean picture of the compared stretch is subtracted from both and the rest is correlated.
That survives encoding, scaling, bars, cuts and mirroring, and still distinguishes two passes of a
person before the same wall.

To find similar clips without comparing all pairs, each moment with motion gives a key of 64 bits:
the signs of the low frequencies of the change over half a second (the DCT of pHash, Zauner,
"Implementation and Benchmarking of Perceptual Image Hash Functions", 2010, applied to differences
in time). Mirroring a picture turns the signs of its odd frequencies and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Raised when the same pictures would give another fingerprint, or it is kept otherwise.
FINGERPRINT_VERSION = 3

Pictures = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIDE = 16
# Pictures between the two of a difference: half a second. In less time too little moves; in more
# time a cut may come between.
STEP = 4
# Root mean square change, of 255, below which there is too little motion to compare.
STILL = 1.0
MOST_KEYS = 64
# A key has a bit for each of 8 x 8 frequencies.
BAND = 8
_DARK = 20  # grey level of 255 that black bars stay under, whatever the encoder
_LEAST_SHOWN = 0.4  # share of the picture's side that bars leave


@dataclass(frozen=True)
class Keys:
    """By what a clip is looked up.

    Attributes:
        moving: uint64 (M,), a key a moment with motion.
        at: int64 (M,), the picture that each of them begins at.
        scene: uint64 (1,), a key of the mean picture, if little or nothing moves; else (0,).
    """

    moving: NDArray[np.uint64]
    at: NDArray[np.int64]
    scene: NDArray[np.uint64]


def fingerprint(thumbnails: Pictures) -> Pictures:
    """Reduce thumbnails (N, H, W), grey and of any shape, to (N, SIDE, SIDE) without black bars."""
    if not len(thumbnails):
        return np.empty((0, SIDE, SIDE), np.uint8)
    mean = thumbnails.mean(axis=0, dtype=np.float32)
    rows = _lit(np.quantile(mean, 0.9, axis=1))
    columns = _lit(np.quantile(mean, 0.9, axis=0))
    down, across = _areas(*rows, mean.shape[0]), _areas(*columns, mean.shape[1])
    # Not as matrix products: those run in threads that wait for each other, and take ten times as
    # long while decoders use all cores.
    rows_reduced = np.einsum("ir,trc->tic", down, thumbnails.astype(np.float32))
    reduced = np.einsum("tic,jc->tij", rows_reduced, across)
    return np.asarray(np.rint(reduced), dtype=np.uint8)


def keys(pictures: Pictures) -> Keys:
    """The keys of all moments with motion; in a long clip, of those where the motion peaks.

    A clip that is cut out of a long one has its peaks too.
    """
    if not len(pictures):
        nothing = np.empty(0, np.uint64)
        return Keys(nothing, nothing.astype(np.int64), nothing)
    changes = pictures[STEP:].astype(np.float32) - pictures[:-STEP]
    strength = np.sqrt((changes**2).mean(axis=(1, 2)))
    moving = strength > STILL
    if moving.sum() > MOST_KEYS:
        around = np.pad(strength, 1, constant_values=-1.0)
        moving &= (strength >= around[:-2]) & (strength >= around[2:])
    mean = pictures.mean(axis=0, keepdims=True, dtype=np.float32)
    # On both sides of the limit, since encoders may put copies of a clip on different sides.
    quiet = strength.max(initial=0.0) < 2 * STILL
    scene = _bits(mean - mean.mean()) if quiet else np.empty(0, np.uint64)
    return Keys(_bits(changes[moving]), np.flatnonzero(moving), scene)


def mirrored(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The keys that the mirrored clip has."""
    odd = np.arange(BAND * BAND) % BAND % 2 == 1
    return bits ^ np.packbits(odd).view(">u8").astype(np.uint64)


def likeness(one: Pictures, other: Pictures) -> float:
    """The similarity of two stretches of fingerprints, moment by moment: 1 the same, 0 unrelated.

    The mean of two correlations, of the pictures and of what moves in them; where nothing moves,
    the pictures must agree ten times as closely.

    Args:
        one, other: (L, SIDE, SIDE), float or uint8, L of at least 1.
    """
    a, b = one.astype(np.float32), other.astype(np.float32)
    shown = _correlation(
        a - a.mean(axis=(1, 2), keepdims=True), b - b.mean(axis=(1, 2), keepdims=True)
    )
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    if max((a**2).mean(), (b**2).mean()) < STILL**2:
        return max(0.0, 1 - 10 * (1 - shown))
    return (shown + _correlation(a, b)) / 2


def _correlation(a: Floats, b: Floats) -> float:
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum() + 1e-6))


def _bits(pictures: Floats) -> NDArray[np.uint64]:
    from scipy.fft import dctn

    low = dctn(pictures, axes=(1, 2))[:, :BAND, :BAND].reshape(-1, BAND * BAND)
    return np.packbits(low > 0, axis=1).view(">u8").astype(np.uint64)[:, 0]


def _lit(levels: Floats) -> tuple[float, float]:
    """Where the picture begins and ends between bars, in rows; a bar may end within a row."""
    lit = np.flatnonzero(levels > _DARK)
    whole = (0.0, float(len(levels)))
    if len(lit) < _LEAST_SHOWN * len(levels):
        return whole  # a dark picture, not a bar
    first, last = int(lit[0]), int(lit[-1])
    begin, end = float(first), float(last + 1)
    if first > 0:
        begin += 1 - levels[first] / max(levels[first], levels[first + 1])
    if last + 1 < len(levels):
        end -= 1 - levels[last] / max(levels[last], levels[last - 1])
    return begin, end


def _areas(begin: float, end: float, size: int) -> Floats:
    """Weights (SIDE, size) that average `size` pixels from `begin` to `end` into SIDE."""
    edges = np.linspace(begin, end, SIDE + 1)
    pixels = np.arange(size)
    low = np.maximum(edges[:-1, None], pixels)
    high = np.minimum(edges[1:, None], pixels + 1)
    return np.asarray(np.maximum(high - low, 0) * SIDE / (end - begin), dtype=np.float32)
