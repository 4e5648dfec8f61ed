"""The training clips that a model takes for most alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def nearest(features: Floats, known: Floats, count: int = 5) -> list[tuple[int, float]]:
    """Rows of `known` with the largest cosine to `features`, and the cosine, the largest first.

    Args:
        features: (D,), what the last layer reads.
        known: (N, D), of the clips that were learned from. Each feature counts by how far it is
            from its mean over them, in its deviations: else the largest would decide.
        count: at most so many.
    """
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    scale = np.where(deviation > 1e-9, deviation, np.inf)
    rows, own = (known - mean) / scale, (features - mean) / scale
    sizes = np.linalg.norm(rows, axis=1) * np.linalg.norm(own)
    likeness = rows @ own / np.maximum(sizes, 1e-12)
    return [(int(at), float(likeness[at])) for at in np.argsort(-likeness, kind="stable")[:count]]
