"""What a data report is made of, as values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from reelflow.dataset.keep_together import sources
from reelflow.evaluation.shortcuts import Shortcuts
from reelflow.intake.quarantine import DUPLICATE, unusable


@dataclass(frozen=True)
class DataSet:
    """Everything that the page shows but the frames.

    Attributes:
        videos: a row a usable video, sorted by path: the manifest, and `brightness` and `change`
            of its clip, missing where it has none.
        quarantine: a row a file that was set aside: path, code, reason, remedy.
        near_duplicates: a row a pair of usable videos that look the same: path, other, likeness (0
            to 1), shift_s (seconds into the first at which the other begins), mirrored.
        broken: sentences on what must hold and does not, so that nothing is learned.
        warned: sentences on what should hold and does not.
        shortcuts: how well file properties predict the class; None where it cannot be measured.
        clip: how clips are made of videos, name and value.
        params: of the stage that made the page, name and value.
    """

    videos: pd.DataFrame
    quarantine: pd.DataFrame
    near_duplicates: pd.DataFrame
    broken: list[str]
    warned: list[str]
    shortcuts: Shortcuts | None
    clip: dict[str, Any]
    params: dict[str, Any]

    @cached_property
    def labels(self) -> list[str]:
        """The classes, sorted."""
        return sorted(self.videos["label"].unique())

    @cached_property
    def grouped(self) -> bool:
        """Whether the group of any video is known."""
        return bool(self.videos["group"].notna().any())

    @cached_property
    def sources(self) -> pd.Series[Any]:
        """The number of the source of each video, see `keep_together.sources`."""
        return sources(self.videos)

    @property
    def unusable(self) -> pd.DataFrame:
        """The files that were set aside as bad; a duplicate is not bad."""
        return unusable(self.quarantine)

    @property
    def duplicates(self) -> pd.DataFrame:
        """The files whose bytes another file has."""
        return self.quarantine[self.quarantine["code"] == DUPLICATE]
