"""The network `flow`: what it finds in pictures whose motion is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from reelflow.networks import build
from reelflow.networks.flow import flow_of

SIZE, FRAMES = 64, 6


def clip(right: float, down: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A texture of deviation 1 that moves so many pixels a frame, (T, H, W)."""
    texture = gaussian_filter(np.random.default_rng(0).normal(size=(SIZE, SIZE)), 2, mode="wrap")
    texture /= texture.std()
    moved = [shift(texture, (t * down, t * right), mode="grid-wrap") for t in range(FRAMES)]
    return np.stack(moved)


@pytest.mark.parametrize(("right", "down"), [(1.0, 0.0), (-0.5, 0.5), (0.0, -1.0), (0.0, 0.0)])
@pytest.mark.parametrize(("blur", "grid"), [(1.2, 16), (2.4, 8)])
def test_flow_is_how_far_the_picture_was_moved(
    right: float, down: float, blur: float, grid: int
) -> None:
    # Strong, so that no cell counts as flat.
    pictures = 20 * clip(right, down)[np.newaxis, ..., np.newaxis].astype(np.float32)
    found = np.asarray(flow_of(pictures, blur, grid))
    assert found.shape == (1, FRAMES - 1, grid, grid, 2)
    # Of a cell at the edge half may come from beyond the picture.
    inside = found[:, :, 1:-1, 1:-1]
    np.testing.assert_allclose(np.median(inside, axis=(0, 1, 2, 3)), (right, down), atol=0.2)


@pytest.fixture(scope="module")
def network() -> Any:
    import keras

    keras.utils.set_random_seed(0)
    return build("flow", (FRAMES, SIZE, SIZE, 3), 3, [128.0] * 3, [40.0] * 3)


def shown(pictures: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    grey = np.clip(pictures * 40 + 128, 0, 255).astype(np.uint8)
    return np.repeat(grey[np.newaxis, ..., np.newaxis], 3, axis=-1)


def test_a_clip_that_stands_still_gets_one_answer_whatever_it_shows(network: Any) -> None:
    one, other = (np.repeat(shown(clip(1, 0))[:, [at]], FRAMES, axis=1) for at in (0, 5))
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(*(network.predict_on_batch(still) for still in (one, other)))


def test_frames_that_come_again_change_no_answer(network: Any) -> None:
    import keras

    frames = shown(clip(1, 0.5))
    longer = build("flow", (FRAMES + 4, SIZE, SIZE, 3), 3, [128.0] * 3, [40.0] * 3)
    longer.set_weights(network.get_weights())
    padded = np.pad(frames, [(0, 0), (2, 2), *[(0, 0)] * 3], mode="edge")
    inner = [keras.Model(one.inputs, one.layers[-1].input) for one in (network, longer)]
    found = [one.predict_on_batch(x) for one, x in zip(inner, (frames, padded), strict=True)]
    np.testing.assert_allclose(*found, atol=1e-5)


def test_what_goes_left_and_what_goes_right_differ(network: Any) -> None:
    right, left = (network.predict_on_batch(shown(clip(way, 0))) for way in (1, -1))
    assert np.abs(right - left).max() > 0.05


def test_the_learned_filters_begin_as_directions_and_the_rest_is_fixed(network: Any) -> None:
    from reelflow.networks.cost import multiply_adds

    names = {variable.path.rpartition("/")[2] for variable in network.trainable_variables}
    assert names == {"kernel", "gamma", "beta", "bias"}
    kernels = [v for v in network.trainable_variables if v.shape == (3, 3, 2, 16)]
    assert len(kernels) == 2
    angles = np.arange(8) * np.pi / 4
    for kernel in kernels:
        np.testing.assert_allclose(
            kernel.numpy()[1, 1, :, :8], [np.cos(angles), np.sin(angles)], atol=1e-6
        )
    assert multiply_adds(network) > 0
