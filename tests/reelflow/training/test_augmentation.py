"""Changes of clips: what each does by hand-made clips, and that a seed gives the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from reelflow.training.augmentation import Augmentation
from reelflow.training.mixing import Mixing

Frames = NDArray[np.uint8]


def noise(seed: int = 0) -> Frames:
    return np.random.default_rng(seed).integers(0, 256, (8, 12, 10, 3)).astype(np.uint8)


def clock() -> Frames:
    """Frame t is all t."""
    return np.arange(16, dtype=np.uint8).repeat(4 * 4 * 3).reshape(16, 4, 4, 3)


def changed(frames: Frames, augmentation: Augmentation, seed: int) -> Frames:
    return augmentation(frames, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "augmentation",
    [
        Augmentation(time_shift=0.3),
        Augmentation(rate=0.5),
        Augmentation(colour=0.3),
        Augmentation(erase=0.4),
    ],
)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    augmentation: Augmentation,
) -> None:
    found = [changed(noise(), augmentation, seed) for seed in range(20)]
    assert len({clip.tobytes() for clip in found}) > 3
    for seed, clip in enumerate(found):
        np.testing.assert_array_equal(clip, changed(noise(), augmentation, seed))
        assert (clip.shape, clip.dtype) == (noise().shape, np.uint8)


@pytest.mark.parametrize("shape", [(8, 12, 10, 3), (2, 7, 1, 3), (24, 64, 64, 3)])
def test_moves_and_brightness_give_the_bytes_of_the_plain_formula(
    shape: tuple[int, int, int, int],
) -> None:
    for seed in range(20):
        frames = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
        random = np.random.default_rng(seed)
        down, right = (
            random.integers(-round(side / 2), round(side / 2), endpoint=True) for side in shape[1:3]
        )
        rows = np.clip(np.arange(shape[1]) + down, 0, shape[1] - 1)
        columns = np.clip(np.arange(shape[2]) + right, 0, shape[2] - 1)
        moved = frames[:, rows[:, None], columns]
        plain = np.clip(moved * (1 + random.uniform(-0.9, 0.9)), 0, 255).astype(np.uint8)
        found = changed(frames, Augmentation(shift=0.5, brightness=0.9), seed)
        np.testing.assert_array_equal(found, plain)


def times(augmentation: Augmentation) -> list[NDArray[np.int64]]:
    found = [changed(clock(), augmentation, seed) for seed in range(200)]
    for clip in found:
        assert (clip == clip[:, :1, :1, :1]).all()  # a frame stays whole
    return [clip[:, 0, 0, 0].astype(int) for clip in found]


def test_a_clip_moves_along_time_as_a_whole_and_its_end_is_repeated() -> None:
    moves = set()
    for at in times(Augmentation(time_shift=0.25)):
        move = int(at[8]) - 8
        np.testing.assert_array_equal(at, np.clip(np.arange(16) + move, 0, 15))
        moves.add(move)
    assert moves == set(range(-4, 5))


def test_the_rate_changes_around_the_middle_and_never_the_order() -> None:
    spans = []
    for at in times(Augmentation(rate=1.0)):
        assert (np.diff(at) >= 0).all()
        assert at[7] + at[8] == pytest.approx(15, abs=1)
        spans.append(int(at[11] - at[4]))
    # Seven frames, at half to twice the speed.
    assert min(spans) in (3, 4)
    assert max(spans) in (13, 14)


def test_colour_leaves_grey_in_proportion_and_can_take_all_saturation_away() -> None:
    grey = np.full((2, 3, 3, 3), 100, np.uint8)
    found = np.stack([changed(grey, Augmentation(colour=0.2), seed) for seed in range(100)])
    assert (found == found[:, :1, :1, :1]).all()  # one draw a clip
    assert found.min() >= 80
    assert found.max() <= 120
    assert np.ptp(found[:, 0, 0, 0], axis=1).max() > 10  # each colour by itself
    red = np.zeros((1, 1, 1, 3), np.uint8)
    red[..., 0] = 200
    # By hand: with saturation s and no tint, green is (1 - s) · 0.299 · 200.
    green = [changed(red, Augmentation(colour=0.9), seed)[0, 0, 0, 1] for seed in range(100)]
    assert max(green) > 40
    assert min(green) == 0


def test_every_second_clip_loses_a_rectangle_in_all_its_frames() -> None:
    frames = noise()
    shares = []
    for seed in range(200):
        found = changed(frames, Augmentation(erase=0.3), seed)
        gone = (found != frames).any(axis=(0, 3))
        if gone.any():
            rows, columns = np.flatnonzero(gone.any(1)), np.flatnonzero(gone.any(0))
            box = found[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            assert (box == box[0, 0, 0]).all()
            np.testing.assert_allclose(box[0, 0, 0], frames.mean(axis=(0, 1, 2)), atol=0.5)
            np.testing.assert_array_equal(found[:, ~gone], frames[:, ~gone])
            shares.append(gone.mean())
    assert 70 < len(shares) < 130
    assert max(shares) <= 0.3 + 0.1  # sides are whole pixels
    assert max(shares) > 0.2


def test_mixup_is_the_mean_of_two_clips_by_the_share_that_it_tells() -> None:
    shares = []
    for seed in range(50):
        clip, other = noise(1), noise(2)
        share = Mixing(mixup=0.4).mix(clip, other, np.random.default_rng(seed))
        by_hand = share * noise(1).astype(float) + (1 - share) * noise(2)
        np.testing.assert_allclose(clip, by_hand, atol=0.51)
        np.testing.assert_array_equal(other, noise(2))
        shares.append(share)
    assert min(shares) < 0.05
    assert max(shares) > 0.95


def test_cutmix_tells_the_share_of_pixels_that_are_left() -> None:
    for seed in range(50):
        clip = np.zeros((4, 12, 10, 3), np.uint8)
        share = Mixing(cutmix=1.0).mix(clip, np.ones_like(clip), np.random.default_rng(seed))
        assert 1 - clip.mean() == pytest.approx(share)
        assert (clip == clip[:1]).all()  # the same part of every frame


def test_where_both_are_on_each_clip_gets_one_of_them() -> None:
    cut = 0
    for seed in range(200):
        clip = np.zeros((1, 8, 8, 3), np.uint8)
        Mixing(mixup=1.0, cutmix=1.0).mix(
            clip, np.full_like(clip, 200), np.random.default_rng(seed)
        )
        cut += set(np.unique(clip)) == {0, 200}
    assert 60 < cut < 140


def test_smoothed_labels_sum_to_one_and_are_those_counted_by_hand() -> None:
    labels = np.array([[1, 0, 0, 0], [0.25, 0, 0.75, 0]], np.float32)
    found = Mixing(label_smoothing=0.2).smooth(labels)
    np.testing.assert_allclose(found, [[0.85, 0.05, 0.05, 0.05], [0.25, 0.05, 0.65, 0.05]])
    assert found.dtype == np.float32
