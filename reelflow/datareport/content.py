"""What a data report is made of, as values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from reelflow.quarantine import DUPLICATE, unusable
from reelflow.shortcuts import Shortcuts


@dataclass(frozen=True)
class DataSet:
    """Everything that the page shows but the frames.

    Attributes:
        videos: a row a usable video, sorted by path: the manifest, and `brightness` and `change`
            of its clip, missing where it has none.
        quarantine: a row a file that was set aside: path, code, reason, remedy.
        broken: sentences on what must hold and does not, so that nothing is learned.
        warned: sentences on what should hold and does not.
        shortcuts: what the files tell of their classes, or None where that cannot be measured.
        clip: how clips are made of videos, name and value.
        params: of the stage that made the page, name and value.
    """

    videos: pd.DataFrame
    quarantine: pd.DataFrame
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
    def sources(self) -> pd.Series[Any]:
        """The group of each video; one without a group is a group of its own."""
        return self.videos["group"].fillna(self.videos["hash"])

    @property
    def unusable(self) -> pd.DataFrame:
        """The files that were set aside as bad; a duplicate is not bad."""
        return unusable(self.quarantine)

    @property
    def duplicates(self) -> pd.DataFrame:
        """The files whose bytes another file has."""
        return self.quarantine[self.quarantine["code"] == DUPLICATE]
