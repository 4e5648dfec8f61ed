"""What the places add sums to what the head adds."""

from __future__ import annotations

import numpy as np
import pytest

from reelflow.embeddings.statistics import statistic
from reelflow.explain.contributions import contributions

MAPS = np.random.default_rng(0).gamma(0.5, size=(6, 5, 7, 3)).astype(np.float32)


def slope(name: str) -> np.ndarray:
    found = np.random.default_rng(1).normal(size=statistic(name, MAPS).shape).astype(np.float32)
    if name != "mean":
        found[-3:] = 0  # changes of the whole picture have no place in it
    return found


@pytest.mark.parametrize("name", ["mean", "local_differences", "root_local_differences"])
def test_they_sum_to_the_features_times_their_weights(name: str) -> None:
    weights = slope(name)
    found = contributions("v/l", MAPS, {f"v/l/{name}": weights})
    assert found.shape == MAPS.shape[:3]
    assert found.sum() == pytest.approx(float(statistic(name, MAPS) @ weights), rel=1e-4)


def test_the_place_that_moves_is_the_one_that_counts() -> None:
    maps = np.ones((6, 5, 7, 3), np.float32)
    maps[1::2, 2, 3, 1] = 2  # one cell of one channel flickers
    weights = np.zeros(12, np.float32)
    weights[1] = 2
    found = contributions("v/l", maps, {"v/l/root_local_differences": weights})
    assert set(zip(*np.nonzero(found.sum(axis=0)), strict=True)) == {(2, 3)}
    weights[1] = -2
    opposite = contributions("v/l", maps, {"v/l/root_local_differences": weights})
    np.testing.assert_allclose(opposite, -found)


def test_a_layer_without_places_gives_nothing() -> None:
    assert contributions("v/l", MAPS, {"v/other/mean": slope("mean")}) is None
    assert contributions("v/l", MAPS, {"v/l/mean_abs_difference": slope("mean")}) is None


def test_one_frame_has_no_motion() -> None:
    weights = slope("local_differences")
    found = contributions("v/l", MAPS[:1], {"v/l/local_differences": weights})
    assert found is None or not found.any()
