from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

from reelflow.dataset.class_weights import class_weights
from reelflow.store.pixel_statistics import channel_sums, pixel_statistics


def statistics(clips: Sequence[np.ndarray]) -> dict[str, list[float]]:
    sums, squares = zip(*(channel_sums(clip) for clip in clips), strict=True)
    return pixel_statistics(sums, squares, sum(clip.size // 3 for clip in clips))


def test_pixel_statistics_are_numpys_over_all_pixels() -> None:
    clips = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 7, 3)).astype(np.uint8)
    clips[..., 1] //= 3
    found = statistics(clips)
    pixels = clips.reshape(-1, 3).astype(np.float64)
    assert found["mean"] == pytest.approx(pixels.mean(axis=0), rel=1e-12)
    assert found["std"] == pytest.approx(pixels.std(axis=0), rel=1e-12)


def test_the_order_of_clips_changes_no_bit() -> None:
    clips = list(np.random.default_rng(1).integers(0, 256, (20, 2, 5, 5, 3)).astype(np.uint8))
    assert statistics(clips) == statistics(clips[::-1])


def test_a_channel_that_never_varies_can_be_divided_by() -> None:
    clip = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    clip[..., 0] = 255
    assert statistics([clip]) == {"mean": [255.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}


def test_class_weights_are_scikit_learns_balanced() -> None:
    labels = pd.Series(["b"] * 7 + ["a"] * 2 + ["c"])
    wanted = compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=labels)
    assert list(class_weights(labels)) == ["a", "b", "c"]
    assert list(class_weights(labels).values()) == pytest.approx(wanted)
