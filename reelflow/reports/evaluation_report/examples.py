"""The best and worst answers, as strips of the frames that the model saw."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from operator import itemgetter
from typing import Any

import pandas as pd

from reelflow.base.evenly_spaced import evenly
from reelflow.reports.evaluation_report.content import Evaluation
from reelflow.reports.page.images_and_clips import strip
from reelflow.store.clip_spec import Clip

TILES = 8
# The report stays under 2 MB, were every frame pure noise: many examples are shown smaller.
TILE, SMALL_TILE, MANY_STRIPS = 112, 56, 24
SHOWN = 3  # probabilities


def right(evaluation: Evaluation) -> pd.DataFrame:
    """The most confident right answers: the best of each class first, then the second best."""
    rows = evaluation.predictions
    rows = _by_confidence(rows[rows["label"] == rows["predicted"]])
    turn = rows.groupby("label").cumcount()
    return rows.assign(turn=turn).sort_values("turn", kind="stable").head(evaluation.examples)


def wrong(evaluation: Evaluation) -> pd.DataFrame:
    """The most confident wrong answers, the most confident first."""
    rows = evaluation.predictions
    return _by_confidence(rows[rows["label"] != rows["predicted"]]).head(evaluation.examples)


def figures(
    evaluation: Evaluation, rows: pd.DataFrame, clip: Callable[[str], Clip]
) -> list[dict[Hashable, Any]]:
    """What the page shows of each row, one clip in memory at a time."""
    tile = TILE if 2 * evaluation.examples <= MANY_STRIPS else SMALL_TILE
    found = []
    for row in rows.to_dict("records"):
        shown = clip(row["hash"])
        chosen = evenly(len(shown.frames), TILES)
        chances = ((label, float(row[f"p_{label}"])) for label in evaluation.labels)
        figure: dict[Hashable, Any] = {
            "strip": strip(shown.frames[chosen], tile),
            "tiles": len(chosen),
            "frames": len(shown.frames),
            "times": shown.timestamps[chosen],
            "probabilities": sorted(chances, key=itemgetter(1, 0), reverse=True)[:SHOWN],
        }
        found.append({**row, **figure})
    return found


def _by_confidence(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(["confidence", "path"], ascending=[False, True], kind="stable")
