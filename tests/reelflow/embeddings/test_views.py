"""Views: where they look, and what comes out."""

from __future__ import annotations

import numpy as np
import pytest

from reelflow.embeddings.views import Frames, box_of, cut, motion


def scene(moving: bool = True, height: int = 120, width: int = 200) -> Frames:
    """A bright square that moves in the upper right corner of a noisy still."""
    rng = np.random.default_rng(0)
    still = rng.integers(90, 110, (height, width, 3), dtype=np.uint8)
    frames = np.repeat(still[None], 6, axis=0)
    if moving:
        for at, frame in enumerate(frames):
            frame[10:30, 150 + 4 * at : 170 + 4 * at] = 255
    return frames


def test_the_square_lies_on_what_moves() -> None:
    left, top, right, bottom = motion(scene())
    assert (right - left, bottom - top) == pytest.approx((90, 90))
    assert left <= 148
    assert right >= 190
    assert top <= 10


@pytest.mark.parametrize("frames", [scene(moving=False), scene()[:1]], ids=["still", "one"])
def test_where_nothing_moves_it_lies_in_the_middle(frames: Frames) -> None:
    assert motion(frames) == pytest.approx((55, 15, 145, 105), abs=1)


@pytest.mark.parametrize("size", [(64, 64), (300, 20), (20, 300)])
def test_the_square_is_inside_the_picture(size: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (4, *size, 3), dtype=np.uint8)
    left, top, right, bottom = motion(frames)
    assert 0 <= left < right <= size[1]
    assert 0 <= top < bottom <= size[0]


@pytest.mark.parametrize("view", ["whole", "motion"])
def test_every_view_gives_square_pictures(view: str) -> None:
    pictures = cut(scene(), box_of(view, scene()), 32)
    assert pictures.shape == (6, 32, 32, 3)
    assert pictures.dtype == np.uint8


def test_whole_shows_all_of_the_picture() -> None:
    frames = np.zeros((1, 40, 80, 3), np.uint8)
    frames[:, :, 40:] = 200
    picture = cut(frames, box_of("whole", frames), 20)[0, :, :, 0]
    assert (picture[:, :9] == 0).all()
    assert (picture[:, 11:] == 200).all()
