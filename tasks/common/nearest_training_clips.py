"""What the checkout knows of a video that a model is asked about: its label, and similar ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.base.evenly import evenly
from reelflow.explain.neighbours import nearest
from reelflow.store.frame_store import FrameStore
from reelflow.training.familiarity import features_of
from reelflow.training.inputs import inputs_of
from tasks.common.inputs import prepared_splits, read_json
from tasks.common.paths import EMBEDDINGS, FRAMES, PREPARED

log = logging.getLogger(__name__)

# Training videos that are compared, at most: networks on frames must look at each again.
MOST = 1000
_SPLITS = {
    "train": "which it learned from",
    "validation": "which its training used",
    "test": "which it was tested on",
}


@dataclass(frozen=True)
class Known:
    """Attributes:
    videos: `hash`, `path`, `label` and `split` of all that were split; empty without a split.
    own: whether the model was trained on this split.
    rows: the training videos among them that have features.
    features: float32 (N, D), of `rows`.
    """

    videos: pd.DataFrame
    own: bool
    rows: pd.DataFrame
    features: NDArray[np.float32]

    def of(self, video: str) -> dict[str, str] | None:
        """The label of a video and what it was to the model, by the hash of its bytes."""
        found = self.videos[self.videos["hash"] == video]
        if found.empty:
            return None
        row = found.iloc[0]
        return {"label": row["label"], "split": row["split"], "of": self._of(row["split"])}

    def _of(self, split: str) -> str:
        return _SPLITS[split] if self.own else "in the split of this checkout, not of the model"

    def nearest(self, features: NDArray[np.float32], video: str) -> list[dict[str, Any]]:
        """The most similar training videos, but for the video itself."""
        others = (self.rows["hash"] != video).to_numpy()
        if not others.any():
            return []
        rows = self.rows[others]
        return [
            {**rows.iloc[at][["path", "label"]].to_dict(), "likeness": round(likeness, 4)}
            for at, likeness in nearest(features, self.features[others])
        ]


def known_videos(model: Any, card: dict[str, Any]) -> Known:
    """The splits in `data/prepared`, and the features of the training videos by this model. Nothing
    where the checkout holds no split, or clips of other settings than the model's."""
    none = pd.DataFrame(columns=["hash", "path", "label", "split"])
    nothing = Known(none, False, none, np.empty((0, 0), np.float32))
    if not (PREPARED / "train.csv").is_file():
        return nothing
    tables = [table.assign(split=name) for name, table in prepared_splits().items()]
    videos = pd.concat(tables, ignore_index=True)[list(none.columns)]
    own = read_json(PREPARED / "meta.json")["data_hash"] == card.get("data_hash")
    rows = videos[videos["split"] == "train"]
    rows = rows.iloc[evenly(len(rows), MOST)]
    try:
        rows, features = _features(model, card, rows)
    except DataError as error:
        log.info("no training clips beside it: %s", error)
        return Known(videos, own, none, nothing.features)
    return Known(videos, own, rows, features)


def _features(
    model: Any, card: dict[str, Any], rows: pd.DataFrame
) -> tuple[pd.DataFrame, NDArray[np.float32]]:
    frames = None if card.get("blocks") else FrameStore(FRAMES)
    if frames and frames.spec.seen.to_dict() != card["clip"]:
        raise DataError(f"{FRAMES} holds other clips than the model takes.")
    shown, there = inputs_of(card, frames, EMBEDDINGS, rows)
    read = features_of(model)
    return there, np.array([read(shown(video)) for video in there["hash"]], np.float32)
