"""The list of files that were set aside, `data/quarantine.csv`: a row a file, all text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from reelflow.errors import DataError
from reelflow.table import read_written

COLUMNS = ("path", "code", "reason", "remedy")
# The one code that is no fault of the file.
DUPLICATE = "duplicate"


def read(path: Path) -> pd.DataFrame:
    """The list, every cell as written. Raises `DataError` if it is not there."""
    try:
        return read_written(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise DataError(f"{path} is missing: run the stage `ingest` first.") from None


def unusable(quarantine: pd.DataFrame) -> pd.DataFrame:
    """The files that cannot be used: all but duplicates, which are no fault."""
    return quarantine[quarantine["code"] != DUPLICATE]
