"""Stratified folds of whole groups, by which heads and networks are judged without the test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.errors import DataError

FOLDS = 5
# One part in so many of the groups is watched for early stopping, about the share that preprocess
# gives to validation.
_WATCHED = 6

# Places of the videos that are learned from, and of those that are left out.
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


class TooFewGroupsError(DataError):
    """A class has fewer than two groups: nothing can be left out to choose by."""

    def __init__(self) -> None:
        super().__init__(
            "A class has fewer than two groups among the videos that are learned from, so that "
            "nothing can be left out to choose by. Add videos of another group, or set "
            "train.network to one that is trained from scratch."
        )


def targets_and_groups(videos: pd.DataFrame) -> tuple[NDArray[np.int64], list[str]]:
    """The columns `target` and `group`; a video without a group is one of its own."""
    return videos["target"].to_numpy(np.int64), list(videos["group"].fillna(videos["hash"]))


def group_folds(
    targets: NDArray[np.integer], groups: Sequence[str], seed: int = 0, most: int = FOLDS
) -> list[Fold]:
    """At most so many stratified folds of whole groups: what is learned from, what is left out.

    Raises:
        TooFewGroupsError: a class has fewer than two groups, so that no fold can leave it out.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    pairs = set(zip(targets.tolist(), groups, strict=True))
    groups_of = Counter(target for target, _ in pairs)
    fewest = min(groups_of[target] for target in range(int(targets.max()) + 1))
    if fewest < 2:
        raise TooFewGroupsError
    dealer = StratifiedGroupKFold(min(most, fewest), shuffle=True, random_state=seed)
    return list(dealer.split(targets, targets, groups))


def learned_and_watched(known: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whole groups of videos set apart to be watched for early stopping, stratified.

    Raises:
        TooFewGroupsError: as `group_folds`.
    """
    learned, watched = group_folds(*targets_and_groups(known), seed, most=_WATCHED)[0]
    return known.iloc[learned], known.iloc[watched]


def balanced_accuracy(targets: NDArray[np.integer], scores: NDArray[np.floating]) -> float:
    """The mean recall of the classes that are there, for scores (N, K)."""
    right = scores.argmax(axis=1) == targets
    return float(np.mean([right[targets == target].mean() for target in np.unique(targets)]))


def standard_error(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Of the mean of values, one a fold."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))
