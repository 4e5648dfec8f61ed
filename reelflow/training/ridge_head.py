"""A linear head on embeddings: ridge regressions, averaged as group folds choose, calibrated.

On a few hundred videos a closed-form linear head on the features of a frozen network is hard to
beat, and takes a second. Each *block* of features (a view, a statistic, a layer) gets a ridge
regression on one-hot targets of its own; the scores of blocks are averaged, which generalises
better to new groups than one regression on all of them. Which blocks, and which penalties, is
decided by stratified group folds among the videos that are handed in (Hastie, Tibshirani and
Friedman, "The Elements of Statistical Learning", 7.10): scores of several candidates are averaged
where that makes the videos that were left out more probable (`reelflow.training.ensemble`). An
average of linear scores is linear, so the head stays one layer. Softmax turns scores into
probabilities, with a temperature fitted on the scores of videos that stood in the fold that was
left out (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from reelflow.training.ensemble import select, temperature_of
from reelflow.training.group_folds import (
    Fold,
    TooFewGroupsError,
    balanced_accuracy,
    group_folds,
    standard_error,
)

PENALTIES = tuple(float(value) for value in 10.0 ** np.arange(-1.5, 2.0, 0.5))

Floats = NDArray[np.float64]
# Names of the blocks that are averaged.
Candidate = tuple[str, ...]
# A candidate with a penalty.
Model = tuple[Candidate, float]


@dataclass(frozen=True)
class Judged:
    """What the folds gave for a candidate with a penalty, or for an average of such.

    Attributes:
        shares: what each counts in the average, were their scores equally wide; they sum to 1.
        weights: what the scores of each are multiplied by; they sum to 1.
        of_folds: the balanced accuracy of each fold.
        scores: float64 (N, K), of each video by the fold that it was left out of.
    """

    shares: dict[Model, float]
    weights: dict[Model, float]
    of_folds: tuple[float, ...]
    scores: Floats

    @property
    def terms(self) -> dict[str, dict[float, float]]:
        """By block, what the ridge regression of each penalty counts; all sum to 1."""
        terms: dict[str, dict[float, float]] = {}
        for (blocks, penalty), weight in self.weights.items():
            for block in blocks:
                of_block = terms.setdefault(block, {})
                of_block[penalty] = of_block.get(penalty, 0.0) + weight / len(blocks)
        return terms

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
        chosen: how the folds judged it, a candidate or an average.
        judged: every candidate at its most accurate penalty, in the order of the candidates.
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
    """Choose among candidates and averages of them, and fit what was chosen on all videos.

    Args:
        blocks: float (N, D) each, by name.
        candidates: the blocks of each.
        targets: int (N,), from 0 to K - 1.
        groups: (N,), what must not stand on both sides of a fold.
        class_weights: float (K,), what a video of each class counts.
        seed: of the folds.

    Raises:
        TooFewGroupsError: as `group_folds`, and where a class has no video.
    """
    if len(np.unique(targets)) < len(class_weights):
        raise TooFewGroupsError
    weights = class_weights[targets]
    parts = group_folds(targets, groups, seed)
    of_block = {
        name: _left_out(blocks[name], targets, weights, parts)
        for name in dict.fromkeys(name for candidate in candidates for name in candidate)
    }
    scores = {
        (candidate, penalty): np.mean([of_block[name][at] for name in candidate], axis=0)
        for candidate in candidates
        for at, penalty in enumerate(PENALTIES)
    }
    judged = [
        max(
            (_judge({(candidate, one): 1.0}, scores, targets, parts) for one in PENALTIES),
            key=lambda found: found.accuracy,
        )
        for candidate in candidates
    ]
    wide = [found / _spread(found) for found in scores.values()]
    counts = zip(scores, select(wide, targets, weights), strict=True)
    shares = {model: float(share) for model, share in counts if share}
    chosen = _judge(shares, scores, targets, parts)
    temperature, _ = temperature_of(chosen.scores, targets, weights)
    weight, bias = fit_terms(blocks, chosen.terms, targets, weights)
    return RidgeHead(
        tuple(chosen.terms),
        temperature * weight,
        temperature * bias,
        chosen,
        judged,
        softmax(temperature * chosen.scores, axis=1),
    )


def fit_terms(
    blocks: Mapping[str, NDArray[np.floating]],
    terms: Mapping[str, Mapping[float, float]],
    targets: NDArray[np.integer],
    weights: NDArray[np.floating],
) -> tuple[Floats, Floats]:
    """Weights (D, K) and bias (K,) of a weighted sum of ridge regressions, before a temperature.

    Args:
        blocks: float (N, D) each, by name.
        terms: as `Judged.terms`; the features of its blocks stand side by side, in this order.
        targets: int (N,), of every class.
        weights: float (N,), what a video counts.
    """
    wanted = _one_hot(targets)
    of_blocks, biases = [], []
    for name, of_block in terms.items():
        found = [
            [share * part for part in _ridge(blocks[name], wanted, weights, penalty)]
            for penalty, share in of_block.items()
        ]
        of_blocks.append(np.sum([weight for weight, _ in found], axis=0))
        biases += [bias for _, bias in found]
    return np.concatenate(of_blocks), np.sum(biases, axis=0)


def _left_out(
    features: NDArray[np.floating],
    targets: NDArray[np.integer],
    weights: NDArray[np.floating],
    parts: list[Fold],
) -> Floats:
    """Scores (P, N, K) of each video for each penalty, by the fold that it was left out of."""
    wanted = _one_hot(targets)
    scores = np.zeros((len(PENALTIES), *wanted.shape))
    for learned, left in parts:
        for at, penalty in enumerate(PENALTIES):
            weight, bias = _ridge(features[learned], wanted[learned], weights[learned], penalty)
            scores[at, left] = features[left] @ weight + bias
    return scores


def _one_hot(targets: NDArray[np.integer]) -> Floats:
    return np.eye(int(targets.max()) + 1)[targets]


def _ridge(
    features: NDArray[np.floating], wanted: Floats, weights: NDArray[np.floating], penalty: float
) -> tuple[Floats, Floats]:
    """Weights (D, K) and bias (K,) of ridge regression from standardised features to `wanted`."""
    from sklearn.linear_model import Ridge

    features = features.astype(np.float64)
    mean = np.average(features, axis=0, weights=weights)
    deviation = np.sqrt(np.average((features - mean) ** 2, axis=0, weights=weights))
    # A feature that never changes is nothing to learn from. The root makes the penalty mean the
    # same for blocks of any size.
    scale = np.where(deviation > 1e-9, deviation, np.inf) * np.sqrt(features.shape[1])
    # As many penalties as videos would weigh: the mean, not the sum, of errors is balanced.
    ridge = Ridge(penalty * weights.mean())
    ridge.fit((features - mean) / scale, wanted, sample_weight=weights)
    weight = ridge.coef_.reshape(wanted.shape[1], -1).T / scale[:, np.newaxis]
    return weight, ridge.intercept_ - mean @ weight


def _judge(
    shares: dict[Model, float],
    scores: Mapping[Model, Floats],
    targets: NDArray[np.integer],
    parts: list[Fold],
) -> Judged:
    wide = {model: share / _spread(scores[model]) for model, share in shares.items()}
    weights = {model: weight / sum(wide.values()) for model, weight in wide.items()}
    mean = np.sum([weight * scores[model] for model, weight in weights.items()], axis=0)
    of_folds = [balanced_accuracy(targets[left], mean[left]) for _, left in parts]
    return Judged(shares, weights, tuple(of_folds), mean)


def _spread(scores: Floats) -> float:
    """How wide scores (N, K) are: a large penalty makes them narrow, and they would not count."""
    return max(float(scores.std(axis=0).mean()), 1e-9)
