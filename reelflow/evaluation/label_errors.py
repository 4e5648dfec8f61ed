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
    own = np.take_along_axis(chance, given[:, np.newaxis], axis=1)[:, 0]
    # A class without a video has no bar that could be met.
    bars = [own[given == k].mean() if k in given else np.inf for k in range(len(labels))]
    is_rival = (chance >= bars) & (given[:, np.newaxis] != np.arange(len(labels)))
    other = np.where(is_rival, chance, -1.0)
    rival, sure = other.argmax(axis=1), other.max(axis=1)
    wrong = is_rival.any(axis=1) & (sure > own)
    table = found.assign(predicted=[labels[at] for at in rival], confidence=sure, lead=sure - own)
    ranked: pd.DataFrame = table[wrong].sort_values(
        ["lead", "path"], ascending=[False, True], ignore_index=True
    )
    return ranked.drop(columns="lead")
