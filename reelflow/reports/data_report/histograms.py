"""Distributions of what the videos are, a row a class, as drawings small enough for a table.

Each cell is an SVG of two paths: the class in front, all videos behind it, both as shares, on the
scale of the column. A class whose distribution lies apart from that of all others is marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

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
    """Something that is known of every video: a column of the table.

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

    @cached_property
    def ends(self) -> Floats:
        """Of its scale, low and high: the 1st and 99th percentile if there are many values."""
        known = self.values.dropna().to_numpy(float)
        return np.quantile(known, [0.01, 0.99] if len(known) > 100 else [0, 1])

    def shares(self, ours: pd.Series[bool]) -> Floats:
        """The share of our values in each bin, (BINS,); what is outside goes to the last ones."""
        low, high = ends = self.ends
        known = self.values[ours].dropna().to_numpy(float).clip(low, high)
        if np.isclose(low, high):  # one value, but for rounding: in the middle
            known, ends = np.full_like(known, 0.5), np.array([0.0, 1.0])
        elif low > 0 and high / low > _LOGARITHMIC:
            known, ends = np.log(known), np.log(ends)
        return np.histogram(known, BINS, tuple(ends))[0] / max(len(known), 1)

    def cell(self, ours: pd.Series[bool]) -> dict[str, Any]:
        """The drawing of our values before that of all, and what is said below it."""
        front, back = self.shares(ours), self.shares(ours | True)
        tallest = max(front.max(), back.max())
        values, others = self.values[ours], self.values[~ours]
        return {
            "front": _path(front, tallest),
            "back": "" if ours.all() else _path(back, tallest),
            "median": _number(values.median()),
            "apart": self.suspect and _apart(values.dropna(), others.dropna()),
        }


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
    labels = data.videos["label"]
    counts = labels.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    rows = []
    for label in (None, *sorted(counts.index[:MOST_CLASSES])):
        ours = labels.eq(label) if label else labels.notna()
        cells = [p.cell(ours) for p in found]
        rows.append({"label": label, "videos": int(ours.sum()), "cells": cells})
    ends = [dict(zip(("low", "high"), map(_number, p.ends), strict=True)) for p in found]
    columns = [{"name": p.name, "unit": p.unit, **of} for p, of in zip(found, ends, strict=True)]
    more = max(0, len(counts) - MOST_CLASSES)
    return {"columns": columns, "rows": rows, "more": more, "bins": BINS, "tall": HEIGHT}


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
