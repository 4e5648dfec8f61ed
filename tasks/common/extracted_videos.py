"""The videos that the stages after `extract` use."""

from __future__ import annotations

import pandas as pd

from reelflow.intake import quarantine
from tasks.common.paths import MANIFEST, NOT_EXTRACTED


def extracted_videos() -> pd.DataFrame:
    """The rows of the manifest without the videos of which no clip could be made."""
    manifest = pd.read_parquet(MANIFEST)
    if not NOT_EXTRACTED.exists():
        return manifest
    aside = quarantine.read(NOT_EXTRACTED)["path"]
    return manifest[~manifest["path"].isin(aside)].reset_index(drop=True)
