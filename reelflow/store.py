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
import zipfile
from pathlib import Path
from typing import Any

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
    except _UNREADABLE as error:
        raise _not_a_unit(path, error) from None


def read_header(path: Path) -> tuple[tuple[int, ...], np.dtype[Any], NDArray[np.float64]]:
    """The shape and dtype of a unit's frames and its timestamps, without reading the frames.

    Raises `DataError` as `read_unit` does, but does not see damage inside the frames.
    """
    try:
        with zipfile.ZipFile(path) as unit:
            with unit.open("frames.npy") as frames:
                np.lib.format.read_magic(frames)
                shape, _, dtype = np.lib.format.read_array_header_1_0(frames)
            with unit.open("timestamps.npy") as timestamps:
                return shape, dtype, np.lib.format.read_array(timestamps, allow_pickle=False)
    except _UNREADABLE as error:
        raise _not_a_unit(path, error) from None


# A file cut short is a BadZipFile, an empty one an EOFError.
_UNREADABLE = (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile)


def _not_a_unit(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} is not a readable unit of frames ({error}). Delete it and run again: it is "
        "made anew from its video."
    )


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
            raise DataError(
                f"{error.filename} is missing: run the stage `extract` first."
            ) from None
        self.spec = ClipSpec(**spec)

    def frames(self, video_hash: str) -> NDArray[np.uint8]:
        """The frames of one video, uint8 RGB (T, H, W, 3). Raises `DataError` if it has none."""
        if video_hash not in self.index.index:
            raise DataError(
                f"No frames of video {video_hash[:12]} in {self.root}: run the stage `extract`."
            )
        return read_unit(self.root / str(self.index.at[video_hash, "unit"])).frames
