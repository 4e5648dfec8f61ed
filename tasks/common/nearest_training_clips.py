"""What the checkout knows of a video that a model is asked about: its label, and similar ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.base.evenly_spaced import evenly
from reelflow.explain.neighbours import nearest
from reelflow.store.crops_and_segments import centre
from reelflow.store.frame_store import FrameStore
from reelflow.training.familiarity import features_of_clips
from reelflow.training.model_inputs import inputs_of
from tasks.common.paths import EMBEDDINGS, FRAMES, PREPARED
from tasks.common.stage_inputs import prepared_splits, read_json

log = logging.getLogger(__name__)

# Training videos that are compared, at most: networks on frames must look at each again.
MOST = 1000
# Clips in a pass, see `reelflow.explain.on_frames`.
_BATCH = 16
_SPLITS = {
    "train": "which it learned from",
    "validation": "which its training used",
    "test": "which it was tested on",
}


@dataclass(frozen=True)
class Known:
    """What is known of the videos of the checkout.

    Attributes:
        videos: `path`, `label` and `split` of all that were split, by hash; empty without a split.
        own: whether the model was trained on this split.
        features: float32 (D,) by hash, of the training videos that have any.
    """

    videos: pd.DataFrame
    own: bool
    features: dict[str, NDArray[np.float32]]

    def of(self, video: str) -> dict[str, str] | None:
        """The label of a video and what it was to the model, by the hash of its bytes."""
        if video not in self.videos.index:
            return None
        row = self.videos.loc[video]
        elsewhere = "in the split of this checkout, not of the model"
        of = _SPLITS[str(row["split"])] if self.own else elsewhere
        return {"label": str(row["label"]), "split": str(row["split"]), "of": of}

    def nearest(self, features: NDArray[np.float32], video: str) -> list[dict[str, Any]]:
        """The most similar training videos, but for the video itself."""
        others = {name: of for name, of in self.features.items() if name != video}
        if not others:
            return []
        rows: Any = self.videos.loc[list(others), ["path", "label"]].to_dict("records")
        return [
            {**rows[at], "likeness": round(likeness, 4)}
            for at, likeness in nearest(features, np.stack(list(others.values())))
        ]


def known_videos(model: Any, card: dict[str, Any]) -> Known:
    """The splits in `data/prepared`, and the features of the training videos by this model. Nothing
    where the checkout holds no split, or clips of other settings than the model's."""
    if not (PREPARED / "train.csv").is_file():
        return Known(pd.DataFrame(), False, {})
    tables = prepared_splits()
    train = tables["train"].iloc[evenly(len(tables["train"]), MOST)]
    try:
        features = _features(model, card, train)
    except DataError as error:
        log.info("no training clips beside it: %s", error)
        features = {}
    videos = pd.concat(table.assign(split=name) for name, table in tables.items())
    own = read_json(PREPARED / "meta.json")["data_hash"] == card.get("data_hash")
    return Known(videos.set_index("hash"), own, features)


def _features(
    model: Any, card: dict[str, Any], videos: pd.DataFrame
) -> dict[str, NDArray[np.float32]]:
    if card.get("blocks"):
        shown, there = inputs_of(card, None, EMBEDDINGS, videos)
        return {video: shown(video)[0] for video in there["hash"]}
    frames = FrameStore(FRAMES)
    if frames.spec.seen.to_dict() != card["clip"]:
        raise DataError(f"{FRAMES} holds other clips than the model takes.")
    read, names = features_of_clips(model), list(videos["hash"])
    found: list[NDArray[np.float32]] = []
    for start in range(0, len(names), _BATCH):
        # The crop that is explained: the features of others are another point.
        clips = [centre(frames.frames(name), frames.spec) for name in names[start : start + _BATCH]]
        found.extend(read(np.stack(clips)))
    return dict(zip(names, found, strict=True))
