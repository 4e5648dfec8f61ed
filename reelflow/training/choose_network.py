"""Whether a network trained from scratch serves these videos better than a head on embeddings.

Both are judged on the same stratified group folds of the videos that are not in the test. The head
is the simpler one and costs seconds, so the network must win by more than chance, and is not tried
where the head leaves next to nothing to gain. A first look,
with half of the epochs on the first fold, is enough where the two differ by far; else three folds
decide, and the network must be better by more than one standard error of the difference. What
training costs is counted in multiply-adds, never by a clock, so that the same videos choose the
same network on every machine.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.networks.cost import multiply_adds
from reelflow.store.frame_store import FrameStore
from reelflow.store.views import views
from reelflow.training.fit import fit
from reelflow.training.predict_clip import predict_views
from reelflow.training.recipe import Recipe
from reelflow.training.ridge_head import (
    Fold,
    balanced_accuracy,
    group_folds,
    standard_error,
    targets_and_groups,
)

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

# Multiply-adds of training in a minute, forwards and backwards: what two cores did with `r2plus1d`.
WORK_OF_A_MINUTE = 1.5e12
# Of a step: forwards once, and backwards about twice as much.
_OF_A_STEP = 3
# A difference at the first look that needs no other, in balanced accuracy.
_BY_FAR = 0.1
# Where the head leaves less to gain than this, in balanced accuracy, no network is trained. Set
# with the sample in view, where the folds of a network cost four minutes.
_WORTH_A_TRY = 0.05
# Most folds of a network that is trained from scratch.
_FOLDS = 3
# One part in so many of the learned groups is watched for early stopping.
_WATCHED = 6


def why_not(
    make_network: Callable[[], keras.Model],
    videos: int,
    recipe: Recipe,
    budget_minutes: float,
    to_beat: Sequence[float],
) -> str:
    """Why a network is not to be tried, for people; empty if it is.

    Args:
        make_network: builds it; not called where there is nothing to gain.
        videos: how many it would learn from.
        recipe: how it would be trained.
        budget_minutes: what that may cost, see `minutes_of`.
        to_beat: the balanced accuracy of the other in each fold.
    """
    to_gain = 1 - float(np.mean(to_beat))
    if to_gain < _WORTH_A_TRY:
        return f"there is {to_gain:.1%} to gain, less than {_WORTH_A_TRY:.0%}"
    minutes = minutes_of(make_network(), videos, recipe)
    return f"{minutes:.0f} minutes of work" if minutes > budget_minutes else ""


def minutes_of(model: keras.Model, videos: int, recipe: Recipe) -> float:
    """What training costs at most, in minutes of `WORK_OF_A_MINUTE`."""
    steps = recipe.steps(videos) * recipe.epochs
    return _OF_A_STEP * multiply_adds(model) * steps * recipe.batch_size / WORK_OF_A_MINUTE


def judge_network(
    make_network: Callable[[], keras.Model],
    store: FrameStore,
    videos: pd.DataFrame,
    class_weights: NDArray[np.float32],
    recipe: Recipe,
    to_beat: Sequence[float],
) -> tuple[list[float], bool]:
    """Train a network on some folds; its balanced accuracy in each, and whether it is to be taken.

    One number alone is that of the first look.

    Args:
        make_network: builds it with fresh weights.
        store: the frames.
        videos: the columns `hash`, `target` and `group`, as `fit_transfer` has them.
        class_weights: float32 (K,), what a clip of each class counts.
        recipe: how it is trained.
        to_beat: what the other reached in each fold of `group_folds` of these videos.

    Raises:
        TooFewGroupsError: in a fold a class is left with one group, so that nothing can be watched.
        DataError: as `fit`.
    """
    targets, groups = targets_and_groups(videos)
    folds = group_folds(targets, groups, recipe.seed)[:_FOLDS]

    def judged(at: int, recipe: Recipe) -> float:
        left = folds[at][1]
        log.info("fold %d: learning, to be judged on %d videos", at + 1, len(left))
        scores = _left_out(make_network, store, videos, folds[at], class_weights, recipe)
        found = balanced_accuracy(targets[left], scores)
        log.info("fold %d: %.3f, against %.3f", at + 1, found, to_beat[at])
        return found

    first = judged(0, replace(recipe, epochs=math.ceil(recipe.epochs / 2)))
    if abs(first - to_beat[0]) > _BY_FAR:
        return [first], first > to_beat[0]
    found = [judged(at, recipe) for at in range(len(folds))]
    lead = np.subtract(found, to_beat[: len(found)])
    return found, bool(lead.mean() > standard_error(lead))


def _left_out(
    make_network: Callable[[], keras.Model],
    store: FrameStore,
    videos: pd.DataFrame,
    fold: Fold,
    class_weights: NDArray[np.float32],
    recipe: Recipe,
) -> NDArray[np.float32]:
    """Probabilities of the videos of a fold by a network that learned from the others."""
    known, left = videos.iloc[fold[0]], videos.iloc[fold[1]]
    inner = group_folds(*targets_and_groups(known), recipe.seed, most=_WATCHED)[0]
    learned, watched = (known.iloc[places] for places in inner)
    # As many gradient steps as on all videos.
    epochs = round(recipe.epochs * recipe.steps(len(videos)) / recipe.steps(len(learned)))
    recipe = replace(recipe, epochs=max(1, min(recipe.epochs, epochs)))
    fitted = fit(make_network, store, learned, watched, class_weights, recipe, lambda history: None)
    return np.stack(
        [
            predict_views(fitted.model, views(store.frames(video), store.spec))
            for video in left["hash"]
        ]
    )
