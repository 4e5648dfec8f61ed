"""The data report: one page for a person who wants to know what there is to learn from.

`render` takes values and returns the whole page as text, made as `reelflow.reports.page` makes
pages. It asks for the frames of the clips that it shows, one at a time: at most some hundreds,
whatever the size of the data set. The same values give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from reelflow.reports import page
from reelflow.reports.data_report import headline, histograms, sheets, tables, warnings
from reelflow.reports.data_report.content import DataSet

__all__ = ["DataSet", "headline", "render", "warnings"]

HERE = Path(__file__).parent


def render(data: DataSet, frames: sheets.Frames) -> str:
    """The report as HTML.

    Args:
        data: all that it shows.
        frames: the frames of a clip, uint8 RGB (T, H, W, 3), by the hash of its video.
    """
    found = data.shortcuts
    alike = tables.near_duplicates(data)
    return page.render(
        HERE,
        data=data,
        headline=headline.headline(data),
        summary=headline.summary(data),
        warnings=warnings.warnings(data),
        classes=tables.classes(data),
        sheets=sheets.by_class(data, frames),
        plays=sheets.sizes(len(data.labels))[1],
        edges=sheets.edges(data, frames),
        distributions=histograms.table(data),
        bins=histograms.BINS,
        tall=histograms.HEIGHT,
        kinds=tables.kinds(data),
        groups=tables.groups(data),
        uncertainty=warnings.uncertainty(found, grouped=data.grouped) if found else "",
        reasons=tables.reasons(data),
        set_aside=data.unusable.head(tables.SET_ASIDE_ROWS).to_dict("records"),
        alike=alike[: tables.DUPLICATES],
        pairs=sheets.pairs(data, alike, frames),
        duplicates=data.duplicates.head(tables.DUPLICATES).to_dict("records"),
    )
