"""Whether labelled videos are too few to be learned from, as far as that is known undecoded.

The stages ask again of what turned out to be usable and different: never less than is asked here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from reelflow.base.errors import DataError
from reelflow.dataset.split_ledger import COLUMNS, Ledger
from reelflow.dataset.splits import refuse_too_few
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.params.ingest import IngestParams
from reelflow.params.validate import ValidateParams


def shortage(
    videos: Collection[LabelledVideo], ingest: IngestParams, validate: ValidateParams
) -> str:
    """Why the pipeline would stop for too few classes, videos or groups; empty if it would not.

    Of no videos at all, nothing is said: whoever looks for them has a better sentence.
    """
    sources: dict[str, list[str]] = defaultdict(list)
    for video in videos:
        sources[video.label].append(video.group or f"/{video.path}")
    if len(sources) == 1:
        return (
            f"There is one class only ({', '.join(sources)}): a classifier needs at least two. Add "
            "videos of another class."
        )
    asked = {
        "ingest.min_videos_per_class": ingest.min_videos_per_class,
        "validate.min_videos_per_class": validate.min_videos_per_class,
    }
    if not sources:
        return ""
    name = max(asked, key=lambda name: asked[name])
    few = _few({label: len(found) for label, found in sources.items()}, asked[name])
    if few:
        return (
            f"Too few videos: {few}; {name} asks for {asked[name]}. Add videos of the class, or "
            "take it out."
        )
    least = validate.min_groups_per_class
    few = _few({label: len(set(found)) for label, found in sources.items()}, least)
    if few:
        return (
            f"Too few groups: {few}; validate.min_groups_per_class asks for {least}, and a video "
            "without a group counts as one. Add videos of other groups (another source, person, "
            "camera), or take the class out."
        )
    table = pd.DataFrame([{**vars(video), "hash": video.path} for video in videos])
    try:
        refuse_too_few(table, Ledger(Path(), pd.DataFrame(columns=COLUMNS, dtype=str)))
    except DataError as error:
        return str(error)
    return ""


def _few(counts: dict[str, int], least: int) -> str:
    return ", ".join(f"{label} has {n}" for label, n in sorted(counts.items()) if n < least)
