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

# With fewer groups, the interval of a score is rough.
ROUGH = 20
Section = Callable[[DataSet, Frames], str | None]


def _fill(name: str, data: DataSet, **values: Any) -> str:
    return fragment(Path(__file__).with_name(f"{name}.html.jinja"), data=data, **values)


def headline(data: DataSet, _: Frames) -> str:
    return _fill("headline", data, headline=words.headline(data), summary=words.summary(data))


def warnings(data: DataSet, _: Frames) -> str:
    return _fill("warnings", data, warnings=doubts.warnings(data))


def classes(data: DataSet, _: Frames) -> str:
    return _fill("classes", data, classes=tables.classes(data))


def sample_clips(data: DataSet, frames: Frames) -> str:
    return _fill(
        "sample_clips",
        data,
        clips=drawn.by_class(data, frames),
        plays=drawn.sizes(len(data.labels))[1],
        edges=drawn.edges(data, frames),
    )


def distributions(data: DataSet, _: Frames) -> str:
    return _fill(
        "distributions",
        data,
        distributions=histograms.table(data),
        bins=histograms.BINS,
        tall=histograms.HEIGHT,
    )


def files(data: DataSet, _: Frames) -> str:
    return _fill("files", data, kinds=tables.kinds(data), rough=ROUGH)


def groups(data: DataSet, _: Frames) -> str:
    return _fill("groups", data, groups=tables.groups(data))


def duplicates(data: DataSet, frames: Frames) -> str:
    pairs = tables.near_duplicates(data)
    return _fill(
        "duplicates",
        data,
        near_duplicates=pairs[: tables.DUPLICATES],
        pairs=drawn.pairs(data, pairs, frames),
        duplicates=data.duplicates.head(tables.DUPLICATES).to_dict("records"),
    )


def set_aside(data: DataSet, _: Frames) -> str:
    listed = data.unusable.head(tables.SET_ASIDE_ROWS).to_dict("records")
    return _fill("set_aside", data, reasons=tables.reasons(data), set_aside=listed)


def provenance(data: DataSet, _: Frames) -> str:
    return _fill("provenance", data)


SECTIONS: tuple[Section, ...] = (
    headline,
    warnings,
    classes,
    sample_clips,
    distributions,
    files,
    groups,
    duplicates,
    set_aside,
    provenance,
)
