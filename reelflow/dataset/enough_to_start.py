"""Whether there are too few labelled videos to learn from, as far as names and labels show it.

The stages check again after decoding, when some videos may be unusable or copies, and never ask for
fewer.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from reelflow.base.errors import DataError
from reelflow.dataset.catalogue import too_few
from reelflow.dataset.split_ledger import COLUMNS, Ledger
from reelflow.dataset.splits import refuse_too_few
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.params.ingest import IngestParams
from reelflow.params.validate import ValidateParams


def shortage(
    videos: Collection[LabelledVideo], ingest: IngestParams, validate: ValidateParams
) -> str:
    """Why the pipeline would stop for too few classes, videos or groups; empty if it would not.

    Empty, too, if there are no videos at all: the code that looks for them has a better sentence.
    """
    if not videos:
        return ""
    table = pd.DataFrame([{**vars(video), "hash": video.path} for video in videos])
    asked = {"ingest": ingest.min_videos_per_class, "validate": validate.min_videos_per_class}
    stage = max(asked, key=lambda stage: asked[stage])
    if few := too_few(table["label"], asked[stage], f"{stage}.min_videos_per_class"):
        return few
    groups = table["group"].fillna("/" + table["path"]).groupby(table["label"]).nunique()
    least = validate.min_groups_per_class
    few = ", ".join(f"{label} has {n}" for label, n in groups[groups < least].items())
    if few:
        return (
            f"Too few groups: {few}; validate.min_groups_per_class asks for {least}, and a video "
            "without a group counts as one. Add videos of other groups (another source, person, "
            "camera), or take the class out."
        )
    try:
        refuse_too_few(table, Ledger(Path(), pd.DataFrame(columns=COLUMNS, dtype=str)))
    except DataError as error:
        return str(error)
    return ""
