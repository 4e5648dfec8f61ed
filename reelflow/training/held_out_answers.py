"""Answers of a model to videos that it did not learn from, before the test.

They show how sure the model may be, from which confidence on it is right, which labels look wrong,
and how far from the learned videos another may lie. A head on embeddings is fitted to all videos
but those of the test, so each is answered for by the fold that left it out; a network trained from
scratch answers the validation videos, which chose its epoch and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.csv_table import read_written
from reelflow.store.frame_store import FrameStore
from reelflow.training.familiarity import Familiarity, features_of
from reelflow.training.fit_familiarity import fit_beside
from reelflow.training.model_inputs import views_in
from reelflow.training.predict_clip import predict_views
from reelflow.training.temperature import fit_temperature, tempered

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class LeftOut:
    """Such answers.

    Attributes:
        videos: the columns `hash` and `target`, the true class number.
        probabilities: float (N, K), before the temperature.
        familiarity: how far such videos lie from what was learned.
    """

    videos: pd.DataFrame
    probabilities: NDArray[Any]
    familiarity: Familiarity

    @classmethod
    def of_frames(
        cls, model: keras.Model, store: FrameStore, learned: pd.DataFrame, videos: pd.DataFrame
    ) -> LeftOut:
        """Ask a network that reads frames and learned from others: `hash` and `target` of each."""
        shown, features = views_in(store), features_of(model)
        found = np.stack([predict_views(model, shown(video)) for video in videos["hash"]])
        known, left = (
            np.stack([features(shown(video)) for video in table["hash"]])
            for table in (learned, videos)
        )
        return cls(videos, found, fit_beside(known, learned["target"].to_numpy(np.int64), left))

    @property
    def temperature(self) -> float:
        """That of the model, see `reelflow.training.temperature`."""
        return fit_temperature(self.probabilities, self.videos["target"].to_numpy(np.int64))

    def table(self, labels: Sequence[str]) -> pd.DataFrame:
        """A row a video: hash, and `p_<label>` with the temperature, sorted by hash."""
        found = tempered(self.probabilities, self.temperature)
        table = pd.DataFrame(found, columns=[f"p_{label}" for label in labels])
        table.insert(0, "hash", self.videos["hash"].to_numpy())
        return table.sort_values("hash", ignore_index=True)


def known_answers(path: Path, known: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """What `LeftOut.table` was written as, beside what is known of these videos.

    Args:
        path: the csv; without it there is no answer.
        known: a row a video: `hash`, and others that are kept.
        labels: the K class names.
    """
    names = [f"p_{label}" for label in labels]
    if not path.is_file():
        return pd.DataFrame(columns=[*known.columns, *names])
    return known.merge(read_written(path), on="hash").astype(dict.fromkeys(names, float))
