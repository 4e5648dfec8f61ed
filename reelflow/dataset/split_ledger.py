"""The split ledger: the split that each video had, kept in git beside the data.

A csv sorted by content hash, `hash,path,label,group,split`. Hash and split decide; path, label
and group are there for people and for groups whose videos are gone for now. Rows are never
dropped while the data set goes on: a video that was taken out and comes back keeps its split.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from reelflow.base.csv_table import read_written, write_table
from reelflow.base.errors import DataError
from reelflow.base.split_names import SPLITS

# What it costs to begin anew.
ANEW = (
    "all videos are then divided anew, earlier scores no longer compare, and the champion is "
    "compared only on test videos that it was not trained on"
)
COLUMNS = ["hash", "path", "label", "group", "split"]


@dataclass(frozen=True)
class Ledger:
    """The splits of all videos that a division ever had.

    Attributes:
        path: the file, for messages and for `write`.
        rows: `COLUMNS`, all text; an unknown group is empty.
    """

    path: Path
    rows: pd.DataFrame

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Read a ledger; a file that is not there is an empty one.

        Raises:
            DataError: it lacks a column, names an unknown split or a video twice.
        """
        try:
            rows = read_written(path, dtype=str, keep_default_na=False)
        except FileNotFoundError:
            return cls(path, pd.DataFrame(columns=COLUMNS, dtype=str))
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise _broken(path, str(error).strip()) from None
        if list(rows.columns) != COLUMNS:
            raise _broken(path, f"its columns are {', '.join(rows.columns)}")
        unknown = rows.loc[~rows["split"].isin(SPLITS)]
        if len(unknown):
            raise _broken(path, f"{unknown.iloc[0]['hash']!r} has {unknown.iloc[0]['split']!r}")
        twice = rows.loc[rows["hash"].duplicated(), "hash"]
        if len(twice):
            raise _broken(path, f"it names {twice.iloc[0]} twice")
        return cls(path, rows)

    def for_videos(self, hashes: pd.Series) -> Ledger:
        """This ledger if it knows one of these videos, else an empty one: another data set's."""
        if self.rows["hash"].isin(hashes).any():
            return self
        return Ledger(self.path, self.rows.iloc[:0])

    def splits(self) -> dict[str, str]:
        """The split of each video by hash."""
        return dict(zip(self.rows["hash"], self.rows["split"], strict=True))

    def group_splits(self) -> dict[str, str]:
        """The split of each known group: where most of its videos stood."""
        known = self.rows[self.rows["group"] != ""]
        most = known.groupby("group")["split"].agg(lambda stood: max(SPLITS, key=list(stood).count))
        return {str(group): str(split) for group, split in most.items()}

    def updated(self, videos: pd.DataFrame) -> Ledger:
        """With the rows of these videos as they are now; other videos are still remembered."""
        gone = self.rows[~self.rows["hash"].isin(videos["hash"])]
        rows = pd.concat([gone, videos[COLUMNS].fillna("")])
        return Ledger(self.path, rows.sort_values("hash", ignore_index=True))

    def write(self) -> None:
        """Write the file atomically."""
        write_table(self.path, self.rows)


def _broken(path: Path, fault: str) -> DataError:
    return DataError(
        f"{path} cannot be used as a ledger of splits ({fault}); it has the columns "
        f"{','.join(COLUMNS)} and a split of {', '.join(SPLITS)} a video. Restore the "
        f"file, or delete it: {ANEW}."
    )
