"""The best and worst answers, as strips of the frames that the model saw."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.report.content import Evaluation
from reelflow.video.clip import Clip

TILES = 8
GAP = 3
# The report stays under 2 MB, were every frame pure noise: many examples are shown smaller.
TILE, SMALL_TILE, MANY_STRIPS = 112, 56, 24
SHOWN_PROBABILITIES = 3


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
) -> list[dict[str, Any]]:
    """What the page shows of each row, one clip in memory at a time."""
    tile = TILE if 2 * evaluation.examples <= MANY_STRIPS else SMALL_TILE
    return [_figure(evaluation, row, clip, tile) for _, row in rows.iterrows()]


def strip(frames: NDArray[np.uint8], tile: int) -> str:
    """Frames side by side, as a `data:` address of a WebP image.

    Args:
        frames: uint8 RGB (T, H, W, 3); all of them are drawn.
        tile: most height or width of one in pixels; none is enlarged.
    """
    from PIL import Image

    count, height, width = frames.shape[:3]
    scale = min(1.0, tile / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # The gaps are transparent, so that they are the page's colour, by day and by night.
    sheet = Image.new("RGBA", (count * (size[0] + GAP) - GAP, size[1]))
    for i, frame in enumerate(frames):
        sheet.paste(
            Image.fromarray(frame).resize(size, Image.Resampling.BOX), (i * (size[0] + GAP), 0)
        )
    buffer = io.BytesIO()
    sheet.save(buffer, "WEBP", quality=80, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _figure(
    evaluation: Evaluation, row: pd.Series[Any], clip: Callable[[str], Clip], tile: int
) -> dict[str, Any]:
    shown = clip(str(row["hash"]))
    frames = len(shown.frames)
    chosen = np.linspace(0, frames - 1, min(TILES, frames)).round().astype(int)
    ranked = sorted(
        ((float(row[f"p_{label}"]), label) for label in evaluation.labels), reverse=True
    )
    times = shown.timestamps[chosen]
    return {
        "path": row["path"],
        "label": row["label"],
        "predicted": row["predicted"],
        "confidence": float(row["confidence"]),
        "strip": strip(shown.frames[chosen], tile),
        "tiles": len(chosen),
        "frames": frames,
        "times": f"{times[0]:.2f} s to {times[-1]:.2f} s" if frames > 1 else f"{times[0]:.2f} s",
        "probabilities": [
            {"label": label, "value": value} for value, label in ranked[:SHOWN_PROBABILITIES]
        ],
    }


def _by_confidence(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values(["confidence", "path"], ascending=[False, True], kind="stable")
