"""The report: one page for a person who decides whether to trust the model.

`render` takes values and returns the whole page as text, made as `reelflow.reports.page` makes
pages: it reads no file but its own templates and style, and asks for the frames of the few videos
that it shows, one at a time. The same values give the same bytes: no path in it but the videos'
own.
"""

from __future__ import annotations

from pathlib import Path

from reelflow.reports import page
from reelflow.reports.evaluation_report import sections, warnings
from reelflow.reports.evaluation_report.content import Evaluation
from reelflow.reports.evaluation_report.sections import Frames
from reelflow.reports.evaluation_report.summary import summary

__all__ = ["Evaluation", "render", "summary", "warnings"]


def render(evaluation: Evaluation, clip: Frames) -> str:
    """The report as HTML.

    Args:
        evaluation: all that it shows.
        clip: the frames of a video by its hash, called for the examples alone.
    """
    shown = {name: section(evaluation, clip) for name, section in sections.SECTIONS.items()}
    return page.render(
        Path(__file__).parent,
        "Evaluation report",
        shown,
        evaluation=evaluation,
        scores=evaluation.scores,
    )
