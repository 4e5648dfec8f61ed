"""The data report: one page for a person who wants to know what there is to learn from.

`render` takes values and returns the whole page as text, made as `reelflow.reports.page` makes
pages. It asks for the frames of the clips that it shows, one at a time: at most some hundreds,
whatever the size of the data set. The same values give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from reelflow.reports import page
from reelflow.reports.data_report import headline, sections, warnings
from reelflow.reports.data_report.content import DataSet
from reelflow.reports.data_report.sample_clips import Frames

__all__ = ["DataSet", "headline", "render", "warnings"]


def render(data: DataSet, frames: Frames) -> str:
    """The report as HTML.

    Args:
        data: all that it shows.
        frames: the frames of a clip, uint8 RGB (T, H, W, 3), by the hash of its video.
    """
    shown = {name: section(data, frames) for name, section in sections.SECTIONS.items()}
    return page.render(Path(__file__).parent, "Data report", shown, data=data)
