"""Answers of a model to videos that it did not learn from, before the test.

They tell how sure the model may be, from which confidence on it is right, and which labels look
wrong. A head on embeddings is fitted to all videos but those of the test, so each is answered for
by the fold that left it out; a network trained from scratch answers the validation videos, which
chose its epoch and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.store.frame_store import FrameStore
from reelflow.store.views import views
from reelflow.training.calibration import fit_temperature, tempered
from reelflow.training.predict_clip import predict_views

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class LeftOut:
    """Such answers.

    Attributes:
        videos: the columns `hash` and `target`, the true class number.
        probabilities: float (N, K), before the temperature.
    """

    videos: pd.DataFrame
    probabilities: NDArray[Any]

    @classmethod
    def of_frames(cls, model: keras.Model, store: FrameStore, videos: pd.DataFrame) -> LeftOut:
        """Ask a network that reads frames."""
        found = [
            predict_views(model, views(store.frames(video), store.spec)) for video in videos["hash"]
        ]
        return cls(videos, np.stack(found))

    @property
    def temperature(self) -> float:
        """That of the model, see `reelflow.training.calibration`."""
        return fit_temperature(self.probabilities, self.videos["target"].to_numpy(np.int64))

    def table(self, labels: Sequence[str]) -> pd.DataFrame:
        """A row a video: hash, and `p_<label>` with the temperature, sorted by hash."""
        found = tempered(self.probabilities, self.temperature)
        table = pd.DataFrame(found, columns=[f"p_{label}" for label in labels])
        table.insert(0, "hash", self.videos["hash"].to_numpy())
        return table.sort_values("hash", ignore_index=True)
