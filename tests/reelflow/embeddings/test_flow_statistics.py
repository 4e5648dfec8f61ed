"""Signed statistics of flow: directions and speeds that are known, from pictures made of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from reelflow.embeddings.flow_statistics import flow_statistics, summary, velocities

SIDE = 128
# Of `summary`: seven quantiles over time of each series, then what else is told of the velocity.
RIGHT, DOWN = slice(0, 7), slice(7, 14)
AREA = slice(42, 49)
TO_THE_RIGHT, TO_THE_LEFT, UP = 49, 51, 52
LATER_RIGHT = 55
BY_SPEED, SHARE_RIGHT, BY_NUMBER = slice(61, 69), 69, slice(71, 79)


def texture(seed: int, side: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 1)).astype(np.uint8)
    return np.repeat(cv2.GaussianBlur(noise, (0, 0), 2)[..., None], 3, axis=2)


def film(places: list[tuple[int, int]], pan: int = 0, light: float = 1.0) -> NDArray[np.uint8]:
    """A square that lies at these places, left and top, before a scene that the camera pans over;
    each frame has `light` times the light of the one before it."""
    ground, thing = texture(1, 2 * SIDE), texture(2, 40)
    frames = []
    for at, (left, top) in enumerate(places):
        frame = ground[:SIDE, pan * at : pan * at + SIDE].copy()
        frame[top : top + 40, left : left + 40] = thing
        frames.append((frame * light**at).astype(np.uint8))
    return np.stack(frames)


def seconds(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.arange(len(frames)) / 10


TO_RIGHT = [(10 + 3 * at, 40) for at in range(6)]


def test_a_thing_that_moves_has_its_direction_and_its_speed() -> None:
    found = flow_statistics(film(TO_RIGHT), seconds(film(TO_RIGHT)))
    # Three pixels of 128 in a tenth of a second.
    assert found[RIGHT][3] ** 2 == pytest.approx(30 / SIDE, rel=0.1)
    assert np.abs(found[DOWN] ** 2).max() < 0.03
    assert found[SHARE_RIGHT] == 1
    back = flow_statistics(film(TO_RIGHT[::-1]), seconds(film(TO_RIGHT)))
    assert back[RIGHT][3] ** 2 == pytest.approx(30 / SIDE, rel=0.1)
    assert back[RIGHT].max() < 0 < back[TO_THE_LEFT]
    rising = [(40, 80 - 3 * at) for at in range(6)]
    up = flow_statistics(film(rising), seconds(film(rising)))
    assert up[DOWN].max() < 0 < up[UP]


def test_twice_the_frames_a_second_is_twice_the_speed() -> None:
    frames = film(TO_RIGHT)
    slow, fast = (flow_statistics(frames, seconds(frames) / rate) for rate in (1, 2))
    np.testing.assert_allclose(fast[RIGHT] ** 2, 2 * slow[RIGHT] ** 2, rtol=1e-5)
    np.testing.assert_array_equal(fast[BY_NUMBER], slow[BY_NUMBER])


def test_the_camera_s_own_motion_is_no_motion() -> None:
    still = flow_statistics(film([(40, 40)] * 6), seconds(film(TO_RIGHT)))
    assert np.abs(still[RIGHT]).max() < 0.05
    panned = velocities(film(TO_RIGHT, pan=2))
    # What stands in the scene lies still; the square moves as it does over the scene.
    assert np.abs(np.median(panned, axis=1)).max() < 0.1 / SIDE
    fastest = np.sort(panned[..., 0], axis=1)[:, -20:].mean()
    assert fastest * SIDE == pytest.approx(5, rel=0.15)


def test_light_and_contrast_are_made_even() -> None:
    frames = film(TO_RIGHT, light=0.85)
    dimmed = flow_statistics(frames, seconds(frames))
    assert dimmed[RIGHT][3] ** 2 == pytest.approx(30 / SIDE, rel=0.15)


def test_the_same_bits_on_any_number_of_threads_and_from_any_memory() -> None:
    frames = film(TO_RIGHT, pan=1)
    first = flow_statistics(frames, seconds(frames))
    cv2.setNumThreads(3)
    assert (flow_statistics(np.asfortranarray(frames), seconds(frames)) == first).all()


def test_the_summary_of_velocities_by_hand() -> None:
    # Of 40 cells two are active: right at 4 in the first half, down at 1 in the second.
    moves = np.zeros((4, 40, 2))
    moves[:2, 5:7, 0], moves[2:, 5:7, 1] = 4, 1
    found = summary(moves)
    assert found[RIGHT].tolist() == [0, 0, 0, np.float32(np.sqrt(2)), 2, 2, 2]
    np.testing.assert_allclose(found[AREA], np.sqrt(2 / 40), rtol=1e-6)
    assert found[TO_THE_RIGHT] == np.float32(np.sqrt(2))
    assert found[TO_THE_LEFT] == 0
    assert found[LATER_RIGHT] == -2
    assert found[SHARE_RIGHT] == 0.5
    # East and south of eight directions that are counted from the west.
    assert found[BY_NUMBER].tolist() == [0, 0, 0, 0, 0.5, 0, 0.5, 0]
    np.testing.assert_allclose(found[BY_SPEED] ** 2, [0, 0, 0, 0, 2, 0, 0.5, 0], rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 30, 20), (2, 1, 1), (2, 8, 900), (3, 448, 600)])
def test_any_shape_gives_as_many_finite_numbers(shape: tuple[int, int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    found = flow_statistics(frames, np.zeros(len(frames)))
    assert found.shape == flow_statistics(film(TO_RIGHT), np.arange(6.0)).shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.any() == (len(frames) > 1)
