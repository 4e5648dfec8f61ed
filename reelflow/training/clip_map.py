"""Where clips lie in what the last layer of a model reads: a map, and how many are unlike training.

The map is that of `Familiarity`, in which the clouds of the classes are balls, along its two
directions of largest spread (PCA): what is near in features is near on it, what is near on it may
still differ in other directions.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reelflow.training.familiarity import Familiarity, Floats, features_of
from reelflow.training.model_inputs import Shown

if TYPE_CHECKING:
    import keras

# Points on a map, at most half of them of the test: more cost room on a page, and hide each other.
MOST = 500


def clip_map(
    model: keras.Model, familiar: Path, inputs: Shown, test: pd.DataFrame, learned: pd.DataFrame
) -> tuple[float | None, pd.DataFrame | None]:
    """The share of the test videos that are unlike training, and the map.

    Args:
        model: whose features are read.
        familiar: file of a `Familiarity`; without it nothing is told.
        inputs: what the model is shown of a video.
        test, learned: `hash` of each video, and what is kept of it.

    Returns:
        the share; and the rows of at most `MOST` videos, drawn by chance where there are more, with
        `x` and `y`, those of the test last.
    """
    if not familiar.is_file():
        return None, None
    known, features = Familiarity.load(familiar), features_of(model)

    def read(videos: pd.DataFrame) -> Floats:
        return np.stack([features(inputs(video)) for video in videos["hash"]])

    tested = read(test)
    shown = test.reset_index(drop=True)
    shown = shown.sample(min(len(test), MOST // 2), random_state=0).sort_index()
    beside = learned.sample(min(len(learned), MOST - len(shown)), random_state=0)
    every = np.concatenate([read(beside), tested[shown.index]])
    places = pd.DataFrame(_flat(known.places(every)), columns=["x", "y"])
    rows = pd.concat([beside, shown], ignore_index=True)
    unlike = round(float((known.distance(tested) > 1).mean()), 6)
    return unlike, pd.concat([rows, places], axis=1)


def _flat(places: Floats) -> Floats:
    from sklearn.decomposition import PCA

    found = PCA(min(2, *places.shape), svd_solver="full").fit_transform(places)
    return np.pad(found, [(0, 0), (0, 2 - found.shape[1])])
