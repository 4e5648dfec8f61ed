"""Distributions of what the videos are, a row a class, as drawings small enough for a table.

Each cell is an SVG of two paths: the class in front, all videos behind it, both as shares, on the
scale of the column. A class whose distribution lies apart from that of all others is marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.evaluation.intervals import Floats
from reelflow.reports.data_report.content import DataSet

BINS, HEIGHT = 24, 20
# Rows of a table that can be taken in; of more classes, those with the most videos.
MOST_CLASSES = 24
# Beyond so many times the least value, a scale counts in powers.
_LOGARITHMIC = 30
# Largest distance of two distribution functions (Kolmogorov and Smirnov) that is unremarkable,
# and the factor that few videos add to it (1 % level).
_APART, _BY_CHANCE = 0.5, 1.63


@dataclass(frozen=True)
class Property:
    """Something that is known of every video.

    Attributes:
        name: heading of its column.
        unit: of its numbers.
        values: float (N,), missing values are left out.
        suspect: whether a class that lies apart in it could be predicted from it without a picture.
    """

    name: str
    unit: str
    values: pd.Series[float]
    suspect: bool = True


def properties(videos: pd.DataFrame) -> list[Property]:
    """The columns of the table."""
    seconds = videos["duration"].where(videos["duration"] > 0)
    return [
        Property("length", "seconds", videos["duration"]),
        Property("frames", "a second", videos["fps"]),
        Property("shorter side", "pixels", videos[["width", "height"]].min(axis=1)),
        Property("bytes", "kB a second", videos["bytes"] / 1000 / seconds),
        Property("brightness", "0 to 255", videos["brightness"]),
        Property("motion", "0 to 255", videos["change"], suspect=False),
    ]


def table(data: DataSet) -> dict[str, Any]:
    """`columns` (name, unit, low and high end), `rows` (label, videos, cells), the first row for
    all videos; a cell has `front`, `back` (paths), `median` and `apart`."""
    found = [p for p in properties(data.videos) if p.values.notna().any()]
    scales = [_Scale(p.values.dropna().to_numpy(float)) for p in found]
    counts = data.videos["label"].value_counts()
    shown = sorted(
        counts.sort_index().sort_values(ascending=False, kind="stable").index[:MOST_CLASSES]
    )
    rows = []
    for label in (None, *shown):
        ours = data.videos["label"].eq(label) if label else data.videos["label"].notna()
        cells = [_cell(p, scale, ours) for p, scale in zip(found, scales, strict=True)]
        rows.append({"label": label, "videos": int(ours.sum()), "cells": cells})
    columns = [
        {"name": p.name, "unit": p.unit, "low": _number(scale.low), "high": _number(scale.high)}
        for p, scale in zip(found, scales, strict=True)
    ]
    more = len(counts) - len(shown)
    return {"columns": columns, "rows": rows, "more": more, "bins": BINS, "tall": HEIGHT}


class _Scale:
    """Where a value stands in a column, from its 1st to its 99th percentile if they are many."""

    def __init__(self, values: NDArray[Any]) -> None:
        self.low, self.high = np.quantile(values, [0.01, 0.99] if len(values) > 100 else [0, 1])
        self.logarithmic = self.low > 0 and self.high / self.low > _LOGARITHMIC

    def shares(self, values: pd.Series[float]) -> Floats:
        """The share of the values in each bin, (BINS,); what is outside goes to the last ones."""
        known = values.dropna().to_numpy(float).clip(self.low, self.high)
        ends = np.array([self.low, self.high])
        if np.isclose(*ends):  # one value, but for rounding: in the middle
            known, ends = np.full_like(known, 0.5), np.array([0.0, 1.0])
        elif self.logarithmic:
            known, ends = np.log(known), np.log(ends)
        return np.histogram(known, BINS, tuple(ends))[0] / max(len(known), 1)


def _cell(p: Property, scale: _Scale, ours: pd.Series[bool]) -> dict[str, Any]:
    values = p.values[ours]
    front, back = scale.shares(values), scale.shares(p.values)
    tallest = max(front.max(), back.max())
    return {
        "front": _path(front, tallest),
        "back": "" if ours.all() else _path(back, tallest),
        "median": _number(values.median()),
        "apart": p.suspect and _apart(values.dropna(), p.values[~ours].dropna()),
    }


def _apart(ours: pd.Series[float], others: pd.Series[float]) -> bool:
    from scipy.stats import ks_2samp

    if ours.empty or others.empty:
        return False
    chance = _BY_CHANCE * np.sqrt(1 / len(ours) + 1 / len(others))
    return bool(ks_2samp(ours, others).statistic > max(_APART, chance))


def _path(shares: Floats, tallest: float) -> str:
    """Bars as one SVG path, a unit wide each."""
    tops = HEIGHT * (1 - shares / tallest) if tallest > 0 else np.full(BINS, float(HEIGHT))
    return "".join(
        f"M{bin_} {HEIGHT}V{top:.1f}h1V{HEIGHT}z" for bin_, top in enumerate(tops) if top < HEIGHT
    )


def _number(value: float) -> str:
    """Three digits, as people write them."""
    if np.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
