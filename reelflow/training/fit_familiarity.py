"""What the learned features look like, and from which distance on a clip is unlike them.

Features are standardised and reduced to the directions of largest spread, since a few hundred
videos do not show the shape of a cloud in thousands of them. The scores are those of ridge
regression on one-hot targets, in more of these directions. The thresholds come from videos that
were left out: 5 % of such lie farther out (the quantile of split conformal prediction: Vovk et al.,
"Algorithmic Learning in a Random World", 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.training.familiarity import REJECTED, Familiarity, Floats
from reelflow.training.group_folds import Fold

# Share of what is known by which the shape of the clouds is drawn towards a ball.
_SHRINK = 0.1
# Of the clouds, and of the scores; the penalty of these, a share of a feature's variance a video.
_DIRECTIONS, _OF_SCORES = 32, 128
_PENALTY = 0.1


def fit_by_folds(
    features: Floats, targets: NDArray[np.integer], folds: Sequence[Fold]
) -> Familiarity:
    """Of features (N, D) of videos of these targets (N,), with the threshold from the folds."""
    parts = [_fit(features[known], targets[known]).parts(features[left]) for known, left in folds]
    return _bounded(_fit(features, targets), np.concatenate(parts))


def fit_beside(learned: Floats, targets: NDArray[np.integer], left_out: Floats) -> Familiarity:
    """Of learned features, with the threshold from those of videos that were not learned from."""
    found = _fit(learned, targets)
    return _bounded(found, found.parts(left_out))


def _fit(features: Floats, targets: NDArray[np.integer]) -> Familiarity:
    from sklearn.decomposition import PCA

    mean, deviation = features.mean(axis=0), features.std(axis=0)
    scale = 1 / np.where(deviation > 1e-6, deviation, np.inf)
    centred = features - mean
    directions = min(_OF_SCORES, len(features) - 1, features.shape[1])
    pca = PCA(directions, svd_solver="randomized", random_state=0).fit(
        (centred * scale).astype(np.float64)
    )
    axes = scale[:, np.newaxis] * pca.components_.T
    of_class = np.unique(targets, return_inverse=True)[1]
    first = axes[:, :_DIRECTIONS]
    clouds = first @ _round(centred @ first, of_class)
    axes = np.hstack([clouds, axes @ _scores(centred @ axes, of_class, features.shape[1])])
    centres = _centres(centred @ axes, of_class)
    mean, axes, centres = (part.astype(np.float32) for part in (mean, axes, centres))
    return Familiarity(mean, axes, centres)


def _centres(at: NDArray[Any], of_class: NDArray[np.integer]) -> NDArray[Any]:
    """The mean place of each class, (K, d), of places (N, d)."""
    return np.stack([at[of_class == k].mean(axis=0) for k in range(of_class.max() + 1)])


def _round(at: NDArray[Any], of_class: NDArray[np.integer]) -> NDArray[Any]:
    """From places (N, d) to coordinates in which the mean cloud is a ball, (d, d)."""
    own = at - _centres(at, of_class)[of_class]
    shape = own.T @ own / len(own)
    ball = np.trace(shape) / len(shape)
    shape = (1 - _SHRINK) * shape + (_SHRINK * ball + 1e-12) * np.eye(len(shape))
    # In these coordinates the distance is the plain one.
    return np.asarray(np.linalg.cholesky(np.linalg.inv(shape)))


def _scores(at: NDArray[Any], of_class: NDArray[np.integer], features: int) -> NDArray[Any]:
    """From places (N, d) to the scores of the K classes, (d, K)."""
    targets = np.eye(of_class.max() + 1)[of_class]
    ridge = at.T @ at + _PENALTY * features * np.eye(at.shape[1])
    return np.asarray(np.linalg.solve(ridge, at.T @ (targets - targets.mean(axis=0))))


def _bounded(found: Familiarity, parts: Floats) -> Familiarity:
    """With both parts in the unit that `REJECTED` of left-out videos (N, 2) exceed, and a threshold
    that as many exceed by one of them or the other."""
    units = np.maximum(_exceeded(parts), 1e-9)
    sizes = np.repeat(1 / units, [found.axes.shape[1] - len(found.centres), len(found.centres)])
    threshold = float(_exceeded((parts / units).max(axis=1)))
    axes, centres = ((each * sizes).astype(np.float32) for each in (found.axes, found.centres))
    return Familiarity(found.mean, axes, centres, threshold)


def _exceeded(values: Floats) -> NDArray[Any]:
    """What `REJECTED` of the rows exceed."""
    rank = min(len(values), int(np.ceil((len(values) + 1) * (1 - REJECTED))))
    return np.asarray(np.sort(values, axis=0)[rank - 1])
