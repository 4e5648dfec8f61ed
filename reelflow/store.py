"""The frame store: one `.npz` a video, named by the content of the video and the clip's spec.

    frames/ab/abcdef…-1234abcd.npz   frames uint8 (T, H, W, 3), timestamps float64 (T,)
    frames/index.parquet             a row a video: hash, unit, timestamps, brightness, change
    frames/spec.json                 the ClipSpec of every unit

Units are never changed, only added and removed: a unit that is there is whole (see
`reelflow.files`), so a killed extraction loses at most the videos it was working on. The files
are stored uncompressed: reading a clip is one read, and DVC compares whole units anyway.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.errors import DataError
from reelflow.files import replacing
from reelflow.video.clip import Clip, ClipSpec

INDEX = "index.parquet"
SPEC = "spec.json"


def unit_path(video_hash: str, spec: ClipSpec) -> Path:
    """Where the unit of a video lies, relative to the store."""
    return Path(video_hash[:2]) / f"{video_hash}-{spec.id}.npz"


def write_unit(path: Path, clip: Clip) -> None:
    """Write a unit atomically. The same clip gives the same bytes."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, frames=clip.frames, timestamps=clip.timestamps)


def read_unit(path: Path) -> Clip:
    """Read a unit. Raises `DataError` if the file is missing or is not a unit."""
    try:
        with np.load(path, allow_pickle=False) as unit:
            return Clip(unit["frames"], unit["timestamps"])
    except (OSError, KeyError, ValueError) as error:
        raise DataError(
            f"{path} is not a readable unit of frames ({error}). Delete it and run again: it is "
            "made anew from its video."
        ) from None


class FrameStore:
    """Read access to a finished store.

    Attributes:
        spec: the `ClipSpec` of every unit.
        index: DataFrame with the columns named in the module's docstring, indexed by `hash`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            spec = json.loads((root / SPEC).read_text(encoding="utf-8"))
            self.index = pd.read_parquet(root / INDEX).set_index("hash", drop=False)
        except FileNotFoundError as error:
            raise DataError(f"{error.filename} is missing: run the stage `extract` first.") from None
        self.spec = ClipSpec(**spec)

    def frames(self, video_hash: str) -> NDArray[np.uint8]:
        """The frames of one video, uint8 RGB (T, H, W, 3). Raises `DataError` if it has none."""
        if video_hash not in self.index.index:
            raise DataError(
                f"No frames of video {video_hash[:12]} in {self.root}: run the stage `extract`."
            )
        return read_unit(self.root / self.index.at[video_hash, "unit"]).frames
