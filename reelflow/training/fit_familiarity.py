"""What the learned features look like, and from which distance on a clip is unlike them.

Features are standardised and reduced to the directions of largest spread, since a few hundred
videos do not tell the shape of a cloud in thousands of them. The threshold comes from videos that
were left out: 5 % of such lie farther out (the quantile of split conformal prediction: Vovk et al.,
"Algorithmic Learning in a Random World", 2005).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reelflow.training.familiarity import REJECTED, Familiarity, Floats
from reelflow.training.ridge_head import Fold

# Share of what is known by which the shape of the clouds is drawn towards a ball.
_SHRINK = 0.1
_DIRECTIONS = 32


def fit_by_folds(
    features: Floats, targets: NDArray[np.integer], folds: Sequence[Fold]
) -> Familiarity:
    """Of features (N, D) of videos of these targets (N,), with the threshold from the folds."""
    distances = [
        _fit(features[known], targets[known]).distance(features[left]) for known, left in folds
    ]
    return _bounded(_fit(features, targets), np.concatenate(distances))


def fit_beside(learned: Floats, targets: NDArray[np.integer], left_out: Floats) -> Familiarity:
    """Of learned features, with the threshold from those of videos that were not learned from."""
    found = _fit(learned, targets)
    return _bounded(found, found.distance(left_out))


def _fit(features: Floats, targets: NDArray[np.integer]) -> Familiarity:
    from sklearn.decomposition import PCA

    mean, deviation = features.mean(axis=0), features.std(axis=0)
    scale = 1 / np.where(deviation > 1e-6, deviation, np.inf)
    scaled = (features - mean) * scale
    directions = min(_DIRECTIONS, len(features) - 1, features.shape[1])
    pca = PCA(directions, svd_solver="randomized", random_state=0).fit(scaled.astype(np.float64))
    axes = scale[:, np.newaxis] * pca.components_.T
    at = (features - mean) @ axes
    centres = np.stack([at[targets == target].mean(axis=0) for target in np.unique(targets)])
    own = at - centres[np.unique(targets, return_inverse=True)[1]]
    shape = own.T @ own / len(own)
    ball = np.trace(shape) / len(shape)
    shape = (1 - _SHRINK) * shape + (_SHRINK * ball + 1e-12) * np.eye(len(shape))
    # In these coordinates the distance is the plain one.
    round_ = np.linalg.cholesky(np.linalg.inv(shape))
    return Familiarity(
        mean.astype(np.float32),
        (axes @ round_).astype(np.float32),
        (centres @ round_).astype(np.float32),
    )


def _bounded(found: Familiarity, distances: Floats) -> Familiarity:
    rank = min(len(distances), int(np.ceil((len(distances) + 1) * (1 - REJECTED))))
    threshold = float(np.sort(distances)[rank - 1]) * found.threshold
    return Familiarity(found.mean, found.axes, found.centres, threshold)
