"""Which videos a fold learns from, which it watches, and which it is judged on.

A fold is a whole training: its tested groups play the part of the test, and one part in six of the
other groups is watched, as validation videos are. No group stands on two sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.base.words import count, quoted
from reelflow.training.group_folds import (
    TooFewGroupsError,
    group_folds,
    learned_and_watched,
    targets_and_groups,
)

# What the words of official splits mean; the codes are those of HMDB51.
MEANINGS = {
    "train": "train",
    "validation": "train",
    "test": "test",
    "1": "train",
    "2": "test",
    "0": "skip",
}

Places = NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """One training of a cross-validation.

    Attributes:
        repeat: from 1; each repeat tests every video once.
        number: from 1, within the repeat.
        learned, watched, tested: hashes of videos.
        groups: the tested groups, sorted.
    """

    repeat: int
    number: int
    learned: list[str] = field(repr=False)
    watched: list[str] = field(repr=False)
    tested: list[str] = field(repr=False)
    groups: list[str] = field(repr=False)

    @property
    def name(self) -> str:
        """For people: `repeat 2, fold 3`."""
        return f"repeat {self.repeat}, fold {self.number}"


def stratified(videos: pd.DataFrame, folds: int, repeats: int, seed: int) -> list[Fold]:
    """Stratified folds of whole groups, dealt anew for each repeat.

    Args:
        videos: the columns `hash`, `label`, `target` and `group`; a video without a group is one
            of its own.
        folds: at least 2.
        repeats: at least 1.
        seed: of the first repeat; the next one has the next seed.

    Raises:
        DataError: a class has fewer groups than that, so that a fold would have none of it.
    """
    _check_groups(videos, folds)
    targets, groups = targets_and_groups(videos)
    found = []
    for repeat in range(repeats):
        dealt = group_folds(targets, groups, seed + repeat, most=folds)
        found += _folds(videos, [tested for _, tested in dealt], repeat + 1, seed + repeat)
    return found


def one_group_out(videos: pd.DataFrame, seed: int) -> list[Fold]:
    """A fold for each group, in the order of their names. Arguments and errors as `stratified`."""
    _check_groups(videos, 2)
    groups = pd.Series(targets_and_groups(videos)[1])
    return _folds(videos, (np.flatnonzero(groups == one) for one in sorted(set(groups))), 1, seed)


def official(videos: pd.DataFrame, splits: Sequence[Mapping[str, str]], seed: int) -> list[Fold]:
    """A fold for each official split of a data set, each as a repeat: papers give their mean.

    Args:
        videos: as for `stratified`, with the column `path`.
        splits: the split of videos by path, as `reelflow.intake.official_splits` reads it; a video
            that is not named is learned from.
        seed: of the choice of what is watched.

    Raises:
        DataError: a split names no test, leaves a class without a video to learn from, or has a
            word for which no meaning is known.
    """
    found = []
    for repeat, split in enumerate(splits, start=1):
        words = videos["path"].map(split).fillna("train")
        unknown = sorted(set(words) - set(MEANINGS))
        if unknown:
            allowed = ", ".join(MEANINGS)
            raise DataError(f"An official split has {quoted(unknown)}: it may be {allowed}.")
        sides = words.map(MEANINGS)
        lacking = set(videos["label"]) - set(videos["label"][sides == "train"])
        if lacking or not (sides == "test").any():
            what = f"{quoted(lacking)} to learn from" if lacking else "any video to test"
            raise DataError(f"The official split {repeat} does not leave {what}.")
        taking_part = videos[sides != "skip"]
        tested = np.flatnonzero(sides[sides != "skip"] == "test")
        found += _folds(taking_part, [tested], repeat, seed)
    return found


def _folds(videos: pd.DataFrame, parts: Iterable[Places], repeat: int, seed: int) -> list[Fold]:
    found = []
    for number, tested in enumerate((part for part in parts if len(part)), start=1):
        known = videos.iloc[np.setdiff1d(np.arange(len(videos)), tested)]
        try:
            learned, watched = learned_and_watched(known, seed)
        except TooFewGroupsError:
            raise DataError(
                "In a fold a class is left with one group to learn from, so that nothing can be "
                "watched. Ask for more folds, or add videos of other groups."
            ) from None
        left_out = videos.iloc[tested]
        sides = [list(side["hash"]) for side in (learned, watched, left_out)]
        groups = sorted(set(targets_and_groups(left_out)[1]))
        found.append(Fold(repeat, number, sides[0], sides[1], sides[2], groups))
    return found


def _check_groups(videos: pd.DataFrame, folds: int) -> None:
    named = videos.assign(group=targets_and_groups(videos)[1])
    groups = named.groupby("label")["group"].nunique()
    few = groups[groups < max(folds, 2)]
    if len(few):
        raise DataError(
            f"{count(folds, 'fold')} need as many groups of each class, and {quoted(few.index)} "
            f"{'has' if len(few) == 1 else 'have'} {int(few.min())}. Ask for fewer folds (at "
            "least 2), or add videos of other groups."
        )
