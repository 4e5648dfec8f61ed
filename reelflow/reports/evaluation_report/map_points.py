"""The points of the map of clips: where each lies, what colour it has, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pandas as pd

from reelflow.reports import plots
from reelflow.reports.evaluation_report.content import Evaluation
from reelflow.reports.page.images_and_clips import still
from reelflow.store.clip_spec import Clip

# Of the map, in its own units; above it is room for the clip that a reader points at.
WIDTH, HEIGHT, ROOM, MARGIN = 420, 380, 56, 8
THUMBNAIL = 40


def points(
    evaluation: Evaluation, places: pd.DataFrame, clip: Callable[[str], Clip]
) -> list[dict[Hashable, Any]]:
    """What the page shows of each clip, one in memory at a time; those of the test come last.

    Args:
        evaluation: whose answers are shown.
        places: hash, path, label, x and y of each.
        clip: the frames of a video by its hash.
    """
    answers = pd.concat([evaluation.left_out, evaluation.predictions]).set_index("hash")
    chances = answers[[f"p_{label}" for label in evaluation.labels]].set_axis(
        evaluation.labels, axis=1
    )
    said = chances.astype(float).agg(["idxmax", "max"], axis=1).set_axis(["said", "sure"], axis=1)
    variables = {label: plots.VARIABLES[one] for label, one in colours(evaluation).items()}
    table = places.join(said, on="hash").assign(
        x=_spread(places["x"], MARGIN, WIDTH - MARGIN),
        y=_spread(-places["y"], ROOM + MARGIN, HEIGHT - MARGIN),
        colour=places["label"].map(variables),
        tested=places["hash"].isin(evaluation.predictions["hash"]),
    )
    found = []
    for row in table.to_dict("records"):
        frames = clip(row["hash"]).frames
        found.append({**row, "still": still(frames[len(frames) // 2], THUMBNAIL, quality=40)})
    return found


def colours(evaluation: Evaluation) -> dict[str, str]:
    """The colour of each class; beyond the palette the weakest have one, others are grey."""
    tested = evaluation.tested()
    return plots.colours({n: tested[n]["recall"] if n in tested else 1 for n in evaluation.labels})


def _spread(values: pd.Series[float], low: float, high: float) -> Any:
    middle, half = (values.max() + values.min()) / 2, max(np.ptp(values) / 2, 1e-9)
    return (low + high) / 2 + (values - middle) / half * (high - low) / 2
