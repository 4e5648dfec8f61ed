"""The sections of the data report, in the order of reading.

A section is a function of the data set and of its frames. It returns HTML, a template of this
folder filled with values, or None where there is nothing to show. To add one, write the function
and the template and name it in `SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reelflow.reports.data_report import headline as words
from reelflow.reports.data_report import histograms, tables
from reelflow.reports.data_report import sample_clips as drawn
from reelflow.reports.data_report import warnings as doubts
from reelflow.reports.data_report.content import DataSet
from reelflow.reports.data_report.sample_clips import Frames
from reelflow.reports.page import fragment

Section = Callable[[DataSet, Frames], str | None]


def _fill(name: str, data: DataSet, **values: Any) -> str:
    return fragment(Path(__file__).with_name(f"{name}.html.jinja"), data=data, **values)


def _of(name: str, **made: Callable[[DataSet], Any]) -> Section:
    """A section that is a template, and what the template shows of the data."""
    return lambda data, _: _fill(name, data, **{key: make(data) for key, make in made.items()})


def sample_clips(data: DataSet, frames: Frames) -> str:
    return _fill(
        "sample_clips",
        data,
        clips=drawn.by_class(data, frames),
        plays=drawn.sizes(len(data.labels))[1],
        edges=drawn.edges(data, frames),
    )


def duplicates(data: DataSet, frames: Frames) -> str:
    pairs = tables.near_duplicates(data)
    return _fill(
        "duplicates",
        data,
        near_duplicates=pairs[: tables.DUPLICATES],
        pairs=drawn.pairs(data, pairs, frames),
        duplicates=data.duplicates.head(tables.DUPLICATES).to_dict("records"),
    )


SECTIONS: tuple[Section, ...] = (
    _of("headline", headline=words.headline, summary=words.summary),
    _of("warnings", warnings=doubts.warnings),
    _of("classes", classes=tables.classes),
    sample_clips,
    _of("distributions", distributions=histograms.table),
    _of("files", kinds=tables.kinds),
    _of("groups", groups=tables.groups),
    duplicates,
    _of("set_aside", reasons=tables.reasons, set_aside=tables.set_aside),
    _of("provenance"),
)
