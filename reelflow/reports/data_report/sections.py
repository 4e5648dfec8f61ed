"""The sections of the data report, in the order of reading.

A section is a template of this folder and a function of the data set and of its frames, which
returns what the template shows beside the data set, or None where there is nothing to show. To add
one, write both and name them in `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reelflow.reports.data_report import headline as words
from reelflow.reports.data_report import histograms, tables
from reelflow.reports.data_report import sample_clips as drawn
from reelflow.reports.data_report import warnings as doubts
from reelflow.reports.data_report.content import DataSet
from reelflow.reports.data_report.sample_clips import Frames

Shown = Mapping[str, Any] | None


def sample_clips(data: DataSet, frames: Frames) -> Shown:
    return {
        "clips": drawn.by_class(data, frames),
        "plays": drawn.sizes(len(data.labels))[1],
        "edges": drawn.edges(data, frames),
    }


def duplicates(data: DataSet, frames: Frames) -> Shown:
    pairs = tables.near_duplicates(data)
    return {
        "near_duplicates": pairs[: tables.DUPLICATES],
        "pairs": drawn.pairs(data, pairs, frames),
        "duplicates": data.duplicates.head(tables.DUPLICATES).to_dict("records"),
    }


def set_aside(data: DataSet, _: Frames) -> Shown:
    shown = data.unusable.head(tables.SET_ASIDE_ROWS).to_dict("records")
    return {"reasons": tables.reasons(data), "set_aside": shown}


SECTIONS: dict[str, Callable[[DataSet, Frames], Shown]] = {
    "headline": lambda of, _: {"headline": words.headline(of), "summary": words.summary(of)},
    "warnings": lambda of, _: {"warnings": doubts.warnings(of)},
    "classes": lambda of, _: {"classes": tables.classes(of)},
    "sample_clips": sample_clips,
    "distributions": lambda of, _: {"distributions": histograms.table(of)},
    "files": lambda of, _: {"kinds": tables.kinds(of)},
    "groups": lambda of, _: {"groups": tables.groups(of)},
    "duplicates": duplicates,
    "set_aside": set_aside,
    "provenance": lambda *_: {},
}
