"""Several parts of the same pictures, of one size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reelflow.store.clip_spec import ClipSpec


def crops_of(pictures: NDArray[np.uint8], spec: ClipSpec) -> NDArray[np.uint8]:
    """Cut whole pictures into the crops of a clip, crop by crop: first, centre, last.

    Args:
        pictures: uint8 (K, H or more, W or more, 3).
        spec: of the clip.

    Returns:
        uint8 (V x K, H, W, 3).
    """
    down, across = pictures.shape[1] - spec.height, pictures.shape[2] - spec.width
    places = [(down * at // 2, across * at // 2) for at in range(3)]
    return np.concatenate(
        [
            pictures[:, top : top + spec.height, left : left + spec.width]
            for top, left in places[: spec.crops]
        ]
    )
