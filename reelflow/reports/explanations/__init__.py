"""The page of explanations: what the model looked at, and whether to believe that.

`render` takes values and returns the page as text, made as `reelflow.reports.page` makes pages, but
that films and pictures stay files beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.reports import page
from reelflow.reports.page.images_and_clips import still

# Pixels of a side of a filter on the page.
_SIDE = 40


def render(
    videos: Sequence[Mapping[str, Any]],
    model: str,
    checks: Sequence[str],
    filters: Sequence[NDArray[np.uint8]],
    learned: bool,
) -> str:
    """The page as HTML.

    Args:
        videos: the explanation of each, as its JSON has it, with `folder`, where film and strip
            lie, relative to the page.
        model: which one answered.
        checks: what was found out about the maps, in sentences; empty if nothing was checked.
        filters: the first ones of each network, uint8 RGB (N, h, w, 3).
        learned: whether these come from the training videos, not from elsewhere.
    """
    sections: dict[str, Any] = {
        "head": {"videos": videos, "model": model, "checks": checks},
        "videos": {"videos": videos},
        "filters": {"networks": [list(map(_enlarged, one)) for one in filters], "learned": learned},
    }
    return page.render(Path(__file__).parent, "What the model looked at", sections)


def _enlarged(picture: NDArray[np.uint8]) -> str:
    """The address of a picture large enough to be seen."""
    times = max(1, _SIDE // max(picture.shape[:2]))
    return still(picture.repeat(times, axis=0).repeat(times, axis=1), _SIDE, quality=80)
