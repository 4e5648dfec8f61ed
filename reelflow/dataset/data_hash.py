"""The hash by which a model is known to belong to a set of videos and its division."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pandas as pd


def data_hash(videos: pd.DataFrame, labels: Sequence[str], clips: Sequence[Any]) -> str:
    """SHA-256 over each video's split and label, and how clips are made of videos.

    Args:
        videos: hash, label and split.
        labels: of all classes.
        clips: what decides the clips, as JSON can hold it.
    """
    rows = videos[["hash", "label", "split"]].sort_values("hash").to_numpy().tolist()
    text = json.dumps([rows, labels, *clips], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
