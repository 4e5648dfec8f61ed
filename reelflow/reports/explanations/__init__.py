"""The page of `reelflow explain`: what the model looked at, and whether to believe that.

`render` takes values and returns the page as text, made as `reelflow.reports.page` makes pages, but
that films and pictures stay files beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reelflow.reports import page

HERE = Path(__file__).parent


def render(videos: Sequence[Mapping[str, Any]], model: str, checks: Sequence[str]) -> str:
    """The page as HTML.

    Args:
        videos: the explanation of each, as its JSON has it, with `folder`, where film and strip
            lie, relative to the page.
        model: which one answered.
        checks: what was found out about the maps, in sentences; empty if nothing was checked.
    """
    head = page.fragment(HERE / "head.html.jinja", videos=videos, model=model, checks=checks)
    shown = [page.fragment(HERE / "video.html.jinja", one=one) for one in videos]
    return page.render(HERE, "What the model looked at", [head, *shown])
