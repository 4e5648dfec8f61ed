"""The points of the map of clips: where each lies, what colour it has, and what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from reelflow.reports import plots
from reelflow.reports.evaluation_report.content import Evaluation
from reelflow.reports.page.pictures import still
from reelflow.store.clip_spec import Clip

# Of the map, in its own units; above it is room for the clip that a reader points at.
WIDTH, HEIGHT, ROOM, MARGIN = 420, 380, 56, 8
THUMBNAIL = 40
# Letters of a path that fit beside the picture: its end, which tells most.
_LETTERS = 52


def points(
    evaluation: Evaluation, places: pd.DataFrame, clip: Callable[[str], Clip]
) -> list[dict[str, Any]]:
    """What the page shows of each clip, one in memory at a time; those of the test come last.

    Args:
        evaluation: whose answers are shown.
        places: hash, path, label, x and y of each.
        clip: the frames of a video by its hash.
    """
    answers = pd.concat([evaluation.left_out, evaluation.predictions]).set_index("hash")
    chances = answers[[f"p_{label}" for label in evaluation.labels]]
    tested = set(evaluation.predictions["hash"])
    colour = colours(evaluation)
    across = _spread(places["x"], MARGIN, WIDTH - MARGIN)
    down = _spread(-places["y"], ROOM + MARGIN, HEIGHT - MARGIN)
    found = []
    for x, y, row in zip(across, down, places.to_dict("records"), strict=True):
        said, sure = None, 0.0
        if row["hash"] in chances.index:
            own = chances.loc[row["hash"]].to_numpy(float)
            said, sure = evaluation.labels[int(own.argmax())], float(own.max())
        frames, path = clip(row["hash"]).frames, row["path"]
        found.append(
            {
                "x": f"{x:.1f}",
                "y": f"{y:.1f}",
                "colour": plots.VARIABLES[colour[row["label"]]],
                "label": row["label"],
                "said": said,
                "sure": sure,
                "tested": row["hash"] in tested,
                "path": path if len(path) <= _LETTERS else f"…{path[-_LETTERS:]}",
                "still": still(frames[len(frames) // 2], THUMBNAIL, quality=40),
            }
        )
    return found


def colours(evaluation: Evaluation) -> dict[str, str]:
    """The colour of each class; beyond the palette the weakest have one, others are grey."""
    tested = evaluation.tested()
    return plots.colours({n: tested[n]["recall"] if n in tested else 1 for n in evaluation.labels})


def _spread(values: pd.Series[float], low: float, high: float) -> Any:
    middle, half = (values.max() + values.min()) / 2, max(np.ptp(values) / 2, 1e-9)
    return (low + high) / 2 + (values - middle) / half * (high - low) / 2
