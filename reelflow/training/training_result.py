"""What a training leaves behind, of whatever kind of network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from reelflow.training.held_out_answers import LeftOut

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Trained:
    """A trained model.

    Attributes:
        network: its name.
        model: with the weights that are kept.
        history: a row an epoch.
        best: the row of the epoch whose weights are kept.
        left_out: gives answers to videos that the model did not learn from, when they are wanted.
        told: what the card holds beside: what was chosen among, and what an embedding is made of.
        of_folds: the balanced accuracy in each fold, where folds chose.
    """

    network: str
    model: keras.Model
    history: pd.DataFrame
    best: Mapping[str, float]
    left_out: Callable[[], LeftOut]
    told: dict[str, Any] = field(default_factory=dict)
    of_folds: tuple[float, ...] = ()
