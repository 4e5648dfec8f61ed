"""Dividing videos as `preprocess` does, for tests of what must hold of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from reelflow.dataset.split_ledger import COLUMNS, Ledger
from reelflow.dataset.splits import Division, divide

SHARES = {"train": 0.65, "validation": 0.15, "test": 0.2}
NOTHING = Ledger(Path("data/ledger.csv"), pd.DataFrame(columns=COLUMNS, dtype=str))


def split(
    videos: pd.DataFrame, ledger: Ledger = NOTHING, seed: int = 0
) -> tuple[dict[str, str], Ledger]:
    """The split of each video by path, and the ledger that remembers it."""
    division = divide(videos, ledger, SHARES, seed)
    return by_path(division), ledger.updated(division.videos)


def by_path(division: Division) -> dict[str, str]:
    return dict(zip(division.videos["path"], division.videos["split"], strict=True))
