"""Which labels look wrong? Confident learning on answers of models that had not seen the video.

A label is suspect where another class is more probable than that class is on average for videos
that bear its label (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 70, 2021). Averages of each class's own videos, not one half, set the bar, so
that a class of which the model is never sure does not make every label suspect. Some of them are
mistakes of the model: a person must look.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

MOST = 6


def suspects(answers: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Videos whose label looks wrong, the most suspect first, with `predicted` and `confidence`.

    Args:
        answers: a row a video: `label`, `p_<label>` for each, and others that are kept; by models
            that learned nothing from it.
        labels: the K class names.
    """
    found = answers.reset_index(drop=True)
    chance = found[[f"p_{label}" for label in labels]].to_numpy(float)
    given = pd.Categorical(found["label"], categories=list(labels)).codes.astype(np.int64)
    places = np.arange(len(found))
    # A class without a video has no bar that could be met.
    bars = [
        chance[given == k, k].mean() if (given == k).any() else np.inf for k in range(len(labels))
    ]
    other = chance.copy()
    other[places, given] = -1.0
    other[other < bars] = -1.0
    rival = other.argmax(axis=1)
    lead = other[places, rival] - chance[places, given]
    wrong = (other[places, rival] >= 0) & (lead > 0)
    table: pd.DataFrame = found.assign(
        predicted=[labels[at] for at in rival], confidence=other[places, rival], lead=lead
    )[wrong]
    ranked: pd.DataFrame = table.sort_values(
        ["lead", "path"], ascending=[False, True], ignore_index=True
    )
    del ranked["lead"]
    return ranked
