"""What is no test of a model."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reelflow.base.errors import DataError
from tasks.common.paths import MODEL, PREPARED


def refuse_meaningless(
    meta: dict[str, Any], card: dict[str, Any], splits: dict[str, pd.DataFrame]
) -> None:
    """Raise `DataError` if the figures would mean nothing."""
    if card["data_hash"] != meta["data_hash"]:
        raise DataError(
            f"{MODEL} was trained on other data than {PREPARED} now holds: some of its training "
            "videos may stand in the test. Run the stage `train` again (`dvc repro` does)."
        )
    learned = {*splits["train"]["hash"], *splits["validation"]["hash"]}
    seen = splits["test"].loc[splits["test"]["hash"].isin(learned), "path"]
    if len(seen):
        raise DataError(
            f"{len(seen)} of the test videos were also trained or validated on, the first being "
            f"{seen.iloc[0]}. Run the stage `preprocess` again."
        )
