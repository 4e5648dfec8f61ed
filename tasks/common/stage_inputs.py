"""Read outputs of earlier stages; a missing file is an error in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from reelflow.base import csv_table
from reelflow.base.errors import DataError
from reelflow.base.split_names import SPLITS
from tasks.common.paths import PREPARED


def present(path: Path) -> Path:
    """The path itself. Raises `DataError` if there is no such file."""
    if not path.is_file():
        raise DataError(f"{path} is missing: run the stages before this one (`dvc repro` does).")
    return path


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    value: dict[str, Any] = json.loads(present(path).read_text(encoding="utf-8"))
    return value


def prepared_splits() -> dict[str, pd.DataFrame]:
    """What `preprocess` has prepared, by split: the columns hash, path, label, target, and group
    (what is kept together)."""
    tables = {name: read_cells(PREPARED / f"{name}.csv") for name in SPLITS}
    return {name: table.astype({"target": int}) for name, table in tables.items()}


def read_cells(path: Path) -> pd.DataFrame:
    """A csv as `csv_table.read_cells` has it."""
    return csv_table.read_cells(present(path))
