"""Read outputs of earlier stages; a missing file is an error in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from reelflow.base import csv_table
from reelflow.base.errors import DataError


def present(path: Path) -> Path:
    """The path itself. Raises `DataError` if there is no such file."""
    if not path.is_file():
        raise DataError(f"{path} is missing: run the stages before this one (`dvc repro` does).")
    return path


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    value: dict[str, Any] = json.loads(present(path).read_text(encoding="utf-8"))
    return value


def read_cells(path: Path) -> pd.DataFrame:
    """A csv as `csv_table.read_cells` has it."""
    return csv_table.read_cells(present(path))
