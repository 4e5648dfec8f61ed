"""Sample clips: a few of every class, playing, and those at the edges of the data set.

How many clips and whether they play depends on the number of classes alone, so that the page has
the same size for a hundred videos and for ten thousand: some 1.5 MB, 6 MB were every clip noise.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.base.words import length
from reelflow.reports.data_report.content import DataSet
from reelflow.reports.page.images_and_clips import moving, still

Frames = Callable[[str], NDArray[np.uint8]]

# Clips of a class, whether they play, and up to how many classes: 60 clips play on a page at the
# most, 600 do not. What is beyond the last is left out.
SIZES = ((12, True, 5), (6, True, 10), (6, False, 100), (3, False, 200))
PAIRS = 6
MOVING_TILE, STILL_TILE = 80, 64  # pixels of a side
# Noise cannot be compressed; a clip beyond so many characters is drawn coarser, then as a still.
MOST_CHARACTERS = 60_000

_EDGES = (
    ("brightness", "darkest", "brightest"),
    ("change", "stillest", "liveliest"),
    ("duration", "shortest", "longest"),
)


def by_class(data: DataSet, frames: Frames) -> dict[str, list[dict[str, Any]]]:
    """Clips of each class, of as many groups as there are; classes in their order.

    Args:
        data: the data set.
        frames: uint8 RGB (T, H, W, 3) by content hash; a `DataError` leaves the clip out.
    """
    wanted, plays = sizes(len(data.labels))
    turn = data.videos.assign(source=data.sources).sort_values("hash", kind="stable")
    turn["turn"] = turn.groupby(["label", "source"]).cumcount()
    turn = turn[turn["label"].isin(data.labels[: SIZES[-1][2]])].sort_values(["turn", "hash"])
    return {
        str(label): _tiles(rows.head(wanted).to_dict("records"), frames, plays=plays)
        for label, rows in turn.groupby("label")
    }


def sizes(classes: int) -> tuple[int, bool]:
    """How many clips a class gets, and whether they play."""
    fitting = (size for size in SIZES if classes <= size[2])
    clips, plays, _ = next(fitting, SIZES[-1])
    return clips, plays


def edges(data: DataSet, frames: Frames) -> list[dict[str, Any]]:
    """The clips with the least and the most brightness, motion and length: errors gather there."""
    tiles = []
    for column, least, most in _EDGES:
        ordered = data.videos.dropna(subset=column).sort_values([column, "path"])
        for words, row in ((least, ordered.head(1)), (most, ordered.tail(1))):
            for tile in _tiles(row.to_dict("records"), frames, plays=True):
                value = row[column].iloc[0]
                shown = length(value) if column == "duration" else f"{value:.3g}"
                tiles.append({**tile, "words": words, "value": shown})
    return tiles


def pairs(
    data: DataSet, near_duplicates: list[dict[Hashable, Any]], frames: Frames
) -> list[list[dict[str, Any]]]:
    """The two clips of each of the first few pairs."""
    rows = {row["path"]: row for row in data.videos.to_dict("records")}
    shown = [
        _tiles([rows[pair["path"]], rows[pair["other"]]], frames, plays=True)
        for pair in near_duplicates[:PAIRS]
    ]
    return [tiles for tiles in shown if len(tiles) == 2]


def _tiles(
    rows: Iterable[dict[Hashable, Any]], frames: Frames, *, plays: bool
) -> list[dict[str, Any]]:
    tiles = []
    for row in rows:
        try:
            clip = frames(row["hash"])
        except DataError:
            continue  # an expectation names the frames that cannot be read
        middle = still(clip[len(clip) // 2], MOVING_TILE if plays else STILL_TILE)
        shown = _moving(clip) or middle if plays else middle
        tiles.append({"path": row["path"], "label": row["label"], "still": middle, "shown": shown})
    return tiles


def _moving(clip: NDArray[np.uint8]) -> str:
    """The clip, playing, as good as it may be; empty if it is too large at any quality."""
    for quality in (60, 20):
        drawn = moving(clip, MOVING_TILE, quality)
        if len(drawn) <= MOST_CHARACTERS:
            return drawn
    return ""
