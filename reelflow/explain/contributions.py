"""What each place of a video adds to a linear head that reads statistics of maps.

For the mean, and for local differences and their roots, what a feature holds comes from certain
cells of a map at certain moments, so that what it adds to the answer can be laid out over the
picture, without an approximation but for the root, of which each cell gets its share.

The sum over all places is the sum of these features times their weights. The weights have signs, so
a place where much moves may speak for the answer, against it, or neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from reelflow.explain.explainable_model import Floats

# Statistics whose values have a place, and how they come about.
PLACED = ("mean", "local_differences", "root_local_differences")
# As `reelflow.embeddings.statistics`.
_ACTIVE = 0.05


def contributions(layer: str, maps: Floats, slopes: Mapping[str, Floats]) -> Floats | None:
    """What each cell adds to the log odds, (T, h, w); None if no statistic of the layer has places.

    Args:
        layer: `view/layer`.
        maps: float32 (T, h, w, C).
        slopes: by block, `view/layer/statistic`, of the log odds along its features (D,).
    """
    found = None
    for statistic in PLACED:
        slope = slopes.get(f"{layer}/{statistic}")
        if slope is None:
            continue
        for weight, shares in _shares(statistic, maps, slope):
            part = np.asarray(shares @ weight)
            found = part if found is None else found + part
    return found


def _shares(statistic: str, maps: Floats, slope: Floats) -> Iterator[tuple[Floats, Floats]]:
    """(C,) what a channel's feature weighs, and (T, h, w, C) what of it each cell holds."""
    count = maps.shape[-1]
    if statistic == "mean":
        yield slope, maps / np.float32(np.prod(maps.shape[:3]))
        return
    for at, lags in enumerate(((1,), (2,), (1, 1))):
        weight = slope[at * count : (at + 1) * count]
        shares = _changes(maps, lags)
        if shares is None:
            continue
        if statistic.startswith("root"):
            value = shares.sum(axis=(0, 1, 2))
            shares = shares / np.sqrt(np.maximum(value, 1e-12))
        yield weight, shares


def _changes(maps: Floats, lags: Sequence[int]) -> Floats | None:
    """What each cell at each moment holds of a feature of `local_differences`, (T, h, w, C)."""
    change = maps
    for lag in lags:
        change = change[lag:] - change[:-lag]
    if not len(change):
        return None
    size = np.abs(change) / np.float32(len(change))
    activity = size.sum(axis=0)
    cells = activity.reshape(-1, activity.shape[-1])
    top = max(1, round(_ACTIVE * len(cells)))
    least = np.sort(cells, axis=0)[-top]
    size *= (activity >= least) / np.float32(top)
    # A difference stands for all the frames that it is made of.
    found = np.zeros_like(maps)
    over = len(maps) - len(change) + 1
    for at in range(over):
        found[at : at + len(change)] += size / over
    return found
