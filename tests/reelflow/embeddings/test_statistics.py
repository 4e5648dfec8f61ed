"""Statistics of feature maps, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reelflow.embeddings.statistics import Floats, statistic

STATISTICS = ("mean", "mean_abs_difference", "local_differences", "root_local_differences")
# One channel is still; the other blinks in one cell of 16, 0 and 1 in turn.
BLINKING = np.zeros((5, 4, 4, 2), np.float32)
BLINKING[:, :, :, 0] = 3
BLINKING[1::2, 2, 1, 1] = 1


def test_the_mean_is_over_frames_and_cells() -> None:
    np.testing.assert_allclose(statistic("mean", BLINKING), [3, 2 / 5 / 16], rtol=1e-6)


def test_the_mean_absolute_difference_is_of_whole_pictures() -> None:
    np.testing.assert_allclose(statistic("mean_abs_difference", BLINKING), [0, 1 / 16], rtol=1e-6)
    swapped = np.zeros((2, 2, 2, 1), np.float32)
    swapped[0, 0, 0], swapped[1, 1, 1] = 1, 1
    assert statistic("mean_abs_difference", swapped) == 0
    assert statistic("local_differences", swapped)[0] == 1


def test_local_differences_are_of_the_most_active_cells_alone() -> None:
    one, two, second, pooled = statistic("local_differences", BLINKING).reshape(4, 2)
    assert (one == [0, 1]).all()
    assert (two == [0, 0]).all()
    assert (second == [0, 2]).all()
    assert (pooled == [0, 1 / 16]).all()


def test_five_per_cent_of_the_cells_count() -> None:
    maps = np.zeros((2, 10, 10, 1), np.float32)
    maps[1].flat[:] = np.arange(100)
    assert statistic("local_differences", maps)[0] == np.mean([95, 96, 97, 98, 99])


def test_the_roots_are_those_of_the_local_differences() -> None:
    squares = statistic("root_local_differences", BLINKING) ** 2
    np.testing.assert_allclose(squares, statistic("local_differences", BLINKING), rtol=1e-6)


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_every_statistic_takes_few_frames_and_has_the_same_length(name: str, frames: int) -> None:
    rng = np.random.default_rng(0)
    maps: Floats = rng.random((frames, 3, 2, 5), np.float32)
    found = statistic(name, maps)
    assert found.dtype == np.float32
    assert found.shape == statistic(name, BLINKING[..., [0, 0, 0, 1, 1]]).shape
    assert np.isfinite(found).all()
    if frames == 1 and name != "mean":
        assert not found.any()
