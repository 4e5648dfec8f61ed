"""The lists of files that were set aside, a row a file, all text: `ingest` writes
`data/quarantine.csv`, and `extract` writes `data/quarantine_extract.csv` for videos that `ingest`
found usable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from reelflow.base.csv_table import read_written
from reelflow.base.errors import DataError, VideoError

COLUMNS = ("path", "code", "reason", "remedy")
# The one code that is no fault of the file.
DUPLICATE = "duplicate"


def read(path: Path, *more: Path) -> pd.DataFrame:
    """The list and those of `more` that there are, every cell as written. Raises `DataError` if the
    first is not there."""
    if not path.exists():
        raise DataError(f"{path} is missing: run the stage `ingest` first.")
    lists = [path, *(other for other in more if other.exists())]
    found = [read_written(each, dtype=str, keep_default_na=False) for each in lists]
    return pd.concat(found, ignore_index=True)


def listed(errors: Iterable[VideoError]) -> pd.DataFrame:
    """A list of these videos, sorted by path."""
    rows = sorted(
        # A name that is not UTF-8 must not make the table unreadable.
        (e.path.encode("utf-8", "backslashreplace").decode(), e.code, e.reason, e.remedy)
        for e in errors
    )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def sentences(errors: Sequence[VideoError], most: int = 10) -> list[str]:
    """A sentence for each of the first files, and how many more there are."""
    more = [f"{len(errors) - most} more"] if len(errors) > most else []
    return [*map(str, errors[:most]), *more]


def unusable(quarantine: pd.DataFrame) -> pd.DataFrame:
    """The files that cannot be used: all but duplicates, which are no fault."""
    return quarantine[quarantine["code"] != DUPLICATE]
