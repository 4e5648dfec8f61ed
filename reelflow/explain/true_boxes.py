"""Where the thing in a video is, if the folder of the video says so, as a sample does.

boxes.csv   path,frame,x,y,width,height: pixels from the top left of the picture as shown
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.explain.explainable_model import Look
from reelflow.store.clip_spec import ClipSpec

_LIST = "boxes.csv"
_COLUMNS = ("x", "y", "width", "height")


def true_boxes(video: Path, look: Look, clip: ClipSpec | None) -> NDArray[np.float64] | None:
    """The box in each frame of a look, (T, 4): left, top, right, bottom in its pixels.

    Args:
        video: the file; the list is looked for in its folder and those above it.
        look: what the model was shown of it.
        clip: how the picture was cut and scaled; None if it was scaled alone.

    Returns:
        None where no list names the video, or a part of the picture was taken by what moves.
    """
    source = _listed(video)
    if source is None or (clip is not None and clip.region != "whole"):
        return None
    seconds = np.asarray(look.info.pts) * float(Fraction(look.info.time_base))
    frames = np.abs(seconds[:, np.newaxis] - look.times).argmin(axis=0)
    if len(source) <= frames.max():
        return None
    boxes = source[frames]
    boxes[:, 2:] += boxes[:, :2]
    scale, offset = _placed(look, clip)
    return np.asarray(boxes * np.tile(scale, 2) + np.tile(offset, 2))


def _listed(video: Path) -> NDArray[np.float64] | None:
    full = video.absolute()
    for folder in full.parents[:3]:
        if not (folder / _LIST).is_file():
            continue
        table = pd.read_csv(folder / _LIST)
        rows = table[table["path"] == full.relative_to(folder).as_posix()].sort_values("frame")
        return rows[list(_COLUMNS)].to_numpy(np.float64) if len(rows) else None
    return None


def _placed(look: Look, clip: ClipSpec | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By what pixels of the source are multiplied, across and down, and how far they are moved."""
    shown = np.array(look.frames.shape[2:0:-1], np.float64)
    source = np.array([look.info.width, look.info.height], np.float64)
    scale = shown / source
    if clip is not None and clip.fit != "stretch":
        one = scale.max() if clip.fit == "crop" else scale.min()
        scale = np.array([one, one])
    return scale, (shown - source * scale) / 2
