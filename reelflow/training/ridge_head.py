"""A linear head on embeddings: ridge regression, chosen by group folds, with calibrated scores.

On a few hundred videos a closed-form linear head on the features of a frozen network is hard to
beat, and takes a second. Each *block* of features (a view, a statistic, a layer) gets a ridge
regression on one-hot targets of its own; the scores of blocks are averaged, which generalises
better to new groups than one regression on all of them. Which blocks, and which penalty, is
decided by stratified group folds among the videos that are handed in (Hastie, Tibshirani and
Friedman, "The Elements of Statistical Learning", 7.10), see `_best`. Softmax turns scores into
probabilities, with a temperature fitted on the scores of videos that stood in the fold that was
left out (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.errors import DataError

PENALTIES = tuple(float(value) for value in 10.0 ** np.arange(-1.5, 2.0, 0.5))

FOLDS = 5

Floats = NDArray[np.float64]
# Places of the videos that are learned from, and of those that are left out.
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
# Names of the blocks that are averaged.
Candidate = tuple[str, ...]


class TooFewGroupsError(DataError):
    """A class has one group alone: nothing can be left out to choose by."""


@dataclass(frozen=True)
class Judged:
    """What the folds gave for a candidate at its best penalty.

    Attributes:
        blocks: the candidate.
        penalty: of ridge regression, the same for each block.
        of_folds: the balanced accuracy of each fold.
        scores: float64 (N, K), of each video by the fold that it was left out of.
    """

    blocks: Candidate
    penalty: float
    of_folds: tuple[float, ...]
    scores: Floats

    @property
    def accuracy(self) -> float:
        """The mean balanced accuracy of the folds."""
        return float(np.mean(self.of_folds))

    @property
    def error(self) -> float:
        """The standard error of `accuracy`."""
        return standard_error(self.of_folds)


@dataclass(frozen=True)
class RidgeHead:
    """Probabilities are `softmax(features @ weights + bias)`.

    Attributes:
        blocks: the blocks whose features stand side by side, in this order.
        weights: float64 (D, K), for features as they are: the scaling is inside.
        bias: float64 (K,).
        chosen: how the folds judged it.
        judged: every candidate at its best penalty, in the order of the candidates.
        probabilities: float64 (N, K), of each video by the fold that it was left out of.
    """

    blocks: Candidate
    weights: Floats
    bias: Floats
    chosen: Judged
    judged: list[Judged]
    probabilities: Floats


def fit_ridge_head(
    blocks: Mapping[str, NDArray[np.floating]],
    candidates: Sequence[Candidate],
    targets: NDArray[np.integer],
    groups: Sequence[str],
    class_weights: NDArray[np.floating],
    *,
    seed: int = 0,
) -> RidgeHead:
    """Choose among candidates, and fit the chosen one on all videos.

    Args:
        blocks: float (N, D) each, by name.
        candidates: the blocks of each.
        targets: int (N,), from 0 to K - 1.
        groups: (N,), what must not stand on both sides of a fold.
        class_weights: float (K,), what a video of each class counts.
        seed: of the folds.

    Raises:
        DataError: as `group_folds`.
    """
    weights = class_weights[targets]
    parts = group_folds(targets, groups, seed)
    judged = []
    of_block = {
        name: _left_out(blocks[name], targets, weights, parts)
        for name in dict.fromkeys(name for candidate in candidates for name in candidate)
    }
    found = []
    for candidate in candidates:
        for_penalties = [
            _judge(candidate, penalty, [of_block[name][at] for name in candidate], targets, parts)
            for at, penalty in enumerate(PENALTIES)
        ]
        found += for_penalties
        judged.append(max(for_penalties, key=lambda one: one.accuracy))
    chosen, temperature = _best(found, targets, weights)
    heads = [_ridge(blocks[name], targets, weights, chosen.penalty) for name in chosen.blocks]
    scale = temperature / len(heads)
    return RidgeHead(
        chosen.blocks,
        np.concatenate([weight for weight, _ in heads]) * scale,
        sum((bias for _, bias in heads), np.zeros(int(targets.max()) + 1)) * scale,
        chosen,
        judged,
        softmax(temperature * chosen.scores),
    )


def softmax(scores: Floats) -> Floats:
    """Probabilities (N, K) of scores (N, K)."""
    from scipy.special import softmax as scipy_softmax

    found: Floats = scipy_softmax(scores, axis=1)
    return found


def targets_and_groups(videos: pd.DataFrame) -> tuple[NDArray[np.int64], list[str]]:
    """The columns `target` and `group`; a video without a group is one of its own."""
    return videos["target"].to_numpy(np.int64), list(videos["group"].fillna(videos["hash"]))


def group_folds(
    targets: NDArray[np.integer], groups: Sequence[str], seed: int = 0, most: int = FOLDS
) -> list[Fold]:
    """At most so many stratified folds of whole groups: what is learned from, what is left out.

    Raises:
        TooFewGroupsError: a class has one group alone, so that no fold can leave it out.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    groups_of = [
        len({g for g, t in zip(groups, targets, strict=True) if t == k})
        for k in range(int(targets.max()) + 1)
    ]
    fewest = min(groups_of)
    if fewest < 2:
        raise TooFewGroupsError(
            "A class has one group alone among the videos that are learned from, so that nothing "
            "can be left out to choose by. Add videos of another group, or set train.network to "
            "one that is trained from scratch."
        )
    dealer = StratifiedGroupKFold(min(most, fewest), shuffle=True, random_state=seed)
    return list(dealer.split(targets, targets, groups))


def _left_out(
    features: NDArray[np.floating],
    targets: NDArray[np.integer],
    weights: NDArray[np.floating],
    parts: list[Fold],
) -> Floats:
    """Scores (P, N, K) of each video for each penalty, by the fold that it was left out of."""
    scores = np.zeros((len(PENALTIES), len(targets), int(targets.max()) + 1))
    for learned, left in parts:
        for at, penalty in enumerate(PENALTIES):
            weight, bias = _ridge(
                features[learned], targets[learned], weights[learned], penalty, scores.shape[2]
            )
            scores[at, left] = features[left] @ weight + bias
    return scores


def _ridge(
    features: NDArray[np.floating],
    targets: NDArray[np.integer],
    weights: NDArray[np.floating],
    penalty: float,
    classes: int | None = None,
) -> tuple[Floats, Floats]:
    """Weights (D, K) and bias (K,) of ridge regression on standardised features."""
    from sklearn.linear_model import Ridge

    features = features.astype(np.float64)
    mean = np.average(features, axis=0, weights=weights)
    deviation = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=weights))
    # A feature that never changes is nothing to learn from. The root makes the penalty mean the
    # same for blocks of any size.
    scale = np.where(deviation > 1e-9, deviation, np.inf) * np.sqrt(features.shape[1])
    one_hot = np.eye(classes or int(targets.max()) + 1)[targets]
    # As many penalties as videos would weigh: the mean, not the sum, of errors is balanced.
    ridge = Ridge(penalty * weights.mean())
    ridge.fit((features - mean) / scale, one_hot, sample_weight=weights)
    weight = ridge.coef_.reshape(one_hot.shape[1], -1).T / scale[:, np.newaxis]
    return weight, ridge.intercept_ - mean @ weight


def _judge(
    blocks: Candidate,
    penalty: float,
    scores: list[Floats],
    targets: NDArray[np.integer],
    parts: list[Fold],
) -> Judged:
    mean = np.mean(scores, axis=0)
    of_folds = [balanced_accuracy(targets[left], mean[left]) for _, left in parts]
    return Judged(blocks, penalty, tuple(of_folds), mean)


def balanced_accuracy(targets: NDArray[np.integer], scores: NDArray[np.floating]) -> float:
    """The mean recall of the classes that are there, for scores (N, K)."""
    right = scores.argmax(axis=1) == targets
    return float(np.mean([right[targets == target].mean() for target in np.unique(targets)]))


def _best(
    found: list[Judged], targets: NDArray[np.integer], weights: NDArray[np.floating]
) -> tuple[Judged, float]:
    """The choice, and its temperature.

    Of those that are no less accurate than the most accurate by more than one standard error of the
    difference, fold by fold, the one under which the left-out videos are most probable: with few
    videos many are equally accurate, and this measure still separates them.
    """
    most = max(found, key=lambda one: one.accuracy)

    def as_good(one: Judged) -> bool:
        less = np.subtract(most.of_folds, one.of_folds)
        return bool(less.mean() <= standard_error(less) + 1e-12)

    good = [one for one in found if as_good(one)]
    calibrated = [_temperature(one.scores, targets, weights) for one in good]
    at = min(range(len(good)), key=lambda at: calibrated[at][1])
    return good[at], calibrated[at][0]


def standard_error(values: Sequence[float] | Floats) -> float:
    """Of the mean of values, one a fold."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def _temperature(
    scores: Floats, targets: NDArray[np.integer], weights: NDArray[np.floating]
) -> tuple[float, float]:
    """The factor of the scores under which the targets are most probable, and the cross-entropy."""
    from scipy.optimize import minimize_scalar

    def loss(exponent: float) -> float:
        chance = softmax(np.exp(exponent) * scores)[np.arange(len(targets)), targets]
        return float(-np.average(np.log(np.maximum(chance, 1e-12)), weights=weights))

    found = minimize_scalar(loss, bounds=(-3.0, 5.0), method="bounded")
    return float(np.exp(found.x)), float(found.fun)
