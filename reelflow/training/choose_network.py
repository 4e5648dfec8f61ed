"""Whether a network on frames serves these videos better than a head on embeddings.

All are judged on the same stratified group folds of the videos that are not in the test. The head
is the simplest and costs seconds, so a network must win by more than chance, and is not tried
where next to nothing is left to gain. Of several the cheaper ones are tried first, each against the
best so far. A first look, with half of the epochs on the first fold, is enough where two differ by
far; else three folds decide, and the network must be better by more than one standard error of the
difference. What training costs is counted in multiply-adds, never by a clock, so that the same
videos choose the same network on every machine.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.networks.cost import multiply_adds
from reelflow.store.frame_store import FrameStore
from reelflow.training.fit import fit
from reelflow.training.group_folds import (
    Fold,
    TooFewGroupsError,
    balanced_accuracy,
    group_folds,
    learned_and_watched,
    standard_error,
    targets_and_groups,
)
from reelflow.training.model_inputs import views_in
from reelflow.training.optimizer import Recipe
from reelflow.training.predict_clip import predict_views

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

# Builds a network with fresh weights.
MakeNetwork = Callable[[], "keras.Model"]

# Multiply-adds of training in a minute, forwards and backwards: what two cores did with `r2plus1d`.
WORK_OF_A_MINUTE = 1.5e12
# Of a step: forwards once, and backwards about twice as much.
_OF_A_STEP = 3
# A difference at the first look that needs no other, in balanced accuracy.
_BY_FAR = 0.1
# Where the best so far leaves less to gain than this, in balanced accuracy, no network is trained.
# Set with the sample in view, where the folds of a network cost four minutes.
_WORTH_A_TRY = 0.05
# Most folds of a network on frames.
_FOLDS = 3


def choose_network(
    challengers: Mapping[str, MakeNetwork],
    store: FrameStore,
    videos: pd.DataFrame,
    class_weights: NDArray[np.float32],
    recipe: Recipe,
    budget_minutes: float,
    to_beat: Sequence[float],
) -> tuple[str, list[dict[str, Any]]]:
    """The name of the challenger that serves best, empty where none beats the head.

    Args:
        challengers: for each name what builds it with fresh weights; not called where there is
            nothing to gain.
        store, videos, class_weights, recipe: as `judge_network` has them.
        budget_minutes: what training those that are tried may cost together, see `minutes_of`.
        to_beat: the balanced accuracy of the head in each fold.

    Returns:
        the name, and a row for each, from cheap to dear: `features`, `chosen`, and either
        `balanced_accuracy` with the number of `folds`, or why it was `not_tried`.
    """
    minutes: dict[str, float] = {}
    if not _nothing_to_gain(to_beat):
        minutes = by_work(challengers, len(videos), recipe)
    totals = zip(minutes, accumulate(minutes.values()), strict=True)
    tried = [name for name, total in totals if total <= budget_minutes]
    left = budget_minutes - sum(minutes[name] for name in tried)
    best, rows = "", dict[str, dict[str, Any]]()
    for name in minutes or challengers:
        row = rows[name] = {"features": f"network {name}"}
        reason = _nothing_to_gain(to_beat)
        if not reason and name not in tried:
            reason = f"{minutes[name]:.1f} minutes of work, {left:.1f} left of the budget"
        if not reason:
            judged = (challengers[name], store, videos, class_weights, recipe, to_beat)
            try:
                found, better = judge_network(*judged, last=name == tried[-1])
            except TooFewGroupsError:
                reason = "too few groups"
            else:
                row |= {"balanced_accuracy": round(float(np.mean(found)), 4), "folds": len(found)}
                best, to_beat = (name, found) if better else (best, to_beat)
        if reason:
            row["not_tried"] = reason
            log.info("%s is not tried: %s", name, reason)
    return best, [{**row, "chosen": name == best} for name, row in rows.items()]


def _nothing_to_gain(to_beat: Sequence[float]) -> str:
    """Why no network is to be tried, for people; empty if there is something to gain."""
    to_gain = 1 - float(np.mean(to_beat))
    small = to_gain < _WORTH_A_TRY
    return f"there is {to_gain:.1%} to gain, less than {_WORTH_A_TRY:.0%}" if small else ""


def by_work(networks: Mapping[str, MakeNetwork], videos: int, recipe: Recipe) -> dict[str, float]:
    """What training each costs (`minutes_of`), from cheap to dear."""
    minutes = {name: minutes_of(make(), videos, recipe) for name, make in networks.items()}
    return dict(sorted(minutes.items(), key=lambda of: of[1]))


def minutes_of(model: keras.Model, videos: int, recipe: Recipe) -> float:
    """What training costs at most, in minutes of `WORK_OF_A_MINUTE`."""
    steps = recipe.steps(videos) * recipe.epochs
    return _OF_A_STEP * multiply_adds(model) * steps * recipe.batch_size / WORK_OF_A_MINUTE


def judge_network(
    make_network: MakeNetwork,
    store: FrameStore,
    videos: pd.DataFrame,
    class_weights: NDArray[np.float32],
    recipe: Recipe,
    to_beat: Sequence[float],
    *,
    last: bool = True,
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
        last: whether no other is to beat this one, for which all of its folds are needed.

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
    better = first > to_beat[0]
    if abs(first - to_beat[0]) > _BY_FAR and (last or not better):
        return [first], better
    found = [judged(at, recipe) for at in range(len(folds))]
    lead = np.subtract(found, to_beat[: len(found)])
    return found, bool(lead.mean() > standard_error(lead))


def _left_out(
    make_network: MakeNetwork,
    store: FrameStore,
    videos: pd.DataFrame,
    fold: Fold,
    class_weights: NDArray[np.float32],
    recipe: Recipe,
) -> NDArray[np.float32]:
    """Probabilities of the videos of a fold by a network that learned from the others."""
    known, left = videos.iloc[fold[0]], videos.iloc[fold[1]]
    learned, watched = learned_and_watched(known, recipe.seed)
    # As many gradient steps as on all videos.
    epochs = round(recipe.epochs * recipe.steps(len(videos)) / recipe.steps(len(learned)))
    recipe = replace(recipe, epochs=max(1, min(recipe.epochs, epochs)))
    fitted = fit(make_network, store, learned, watched, class_weights, recipe, lambda history: None)
    shown = views_in(store)
    return np.stack([predict_views(fitted.model, shown(video)) for video in left["hash"]])
