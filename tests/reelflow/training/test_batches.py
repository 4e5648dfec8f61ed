"""Batches of clips: what an epoch holds, in which order, and that it is the same each time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.base.errors import DataError
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.training.augmentation import Augmentation
from reelflow.training.batches import Batches
from tests.dataset import write_clips

CLASSES = 3
SPEC_OF_CLIPS = ClipSpec(frames=2, height=8, width=6)


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    """Seven clips; every pixel of clip i is 10 i."""
    clips = {
        f"{number:064x}": Clip(
            np.full(SPEC_OF_CLIPS.shape, 10 * number, np.uint8), np.array([0.0, 1.0])
        )
        for number in range(7)
    }
    write_clips(tmp_path / "frames", clips, SPEC_OF_CLIPS)
    return FrameStore(tmp_path / "frames")


@pytest.fixture
def videos(store: FrameStore) -> pd.DataFrame:
    hashes = store.index["hash"].to_list()
    return pd.DataFrame({"hash": hashes, "target": [at % CLASSES for at in range(len(hashes))]})


def epoch_of(batches: Batches, epoch: int) -> tuple[list[int], list[int], list[float]]:
    """Clip numbers, targets and weights of an epoch, in order."""
    read = [batches.batch(epoch, index) for index in range(len(batches))]
    return (
        [int(clip.flat[0]) // 10 for frames, _, _ in read for clip in frames],
        [int(target) for _, targets, _ in read for target in targets],
        [float(weight) for _, _, weights in read for weight in weights],
    )


def test_without_a_seed_an_epoch_is_the_videos_as_they_stand(
    store: FrameStore, videos: pd.DataFrame
) -> None:
    weights = np.array([1.0, 2.0, 0.5], np.float32)
    batches = Batches(store, videos, 3, weights)
    clips, targets, weighed = epoch_of(batches, 0)
    assert clips == list(range(7))
    assert targets == videos["target"].to_list()
    assert weighed == [weights[target] for target in targets]
    assert epoch_of(batches, 5) == (clips, targets, weighed)


def test_the_last_batch_is_smaller(store: FrameStore, videos: pd.DataFrame) -> None:
    batches = Batches(store, videos, 3, np.ones(CLASSES, np.float32))
    frames, targets, weights = batches.batch(0, 2)
    assert frames.shape == (1, *SPEC_OF_CLIPS.shape)
    assert (frames.dtype, targets.dtype, weights.dtype) == (np.uint8, np.int32, np.float32)
    assert len(batches) == 3


def test_each_clip_comes_as_often_as_repeats_says_with_its_own_target(
    store: FrameStore, videos: pd.DataFrame
) -> None:
    batches = Batches(store, videos, 5, np.ones(CLASSES, np.float32), seed=1, repeats=3)
    clips, targets, _ = epoch_of(batches, 0)
    assert len(batches) == 5
    assert np.bincount(clips).tolist() == [3] * 7
    assert targets == [clip % CLASSES for clip in clips]
    # Every pass is whole before the next begins.
    assert sorted(clips[:7]) == sorted(clips[7:14]) == list(range(7))


def test_the_order_follows_from_seed_and_epoch_alone(
    store: FrameStore, videos: pd.DataFrame
) -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return epoch_of(Batches(store, videos, 4, np.ones(3, np.float32), seed=seed), epoch)[0]

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(1, 0)), tuple(order(1, 1)), tuple(order(2, 0))}) == 3


def test_no_two_draws_share_a_stream(
    store: FrameStore, videos: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order of pass 0 and its first clip: NumPy takes (seed, 0) and (seed, 0, 0) for one."""
    seeds: list[tuple[int, ...]] = []
    make = np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: (seeds.append(seed), make(seed))[1])
    changes = Augmentation(brightness=0.5)
    weights = np.ones(CLASSES, np.float32)
    batches = Batches(store, videos, 4, weights, seed=1, augmentation=changes, repeats=2)
    for epoch in range(2):
        epoch_of(batches, epoch)
    streams = {tuple(np.random.SeedSequence(seed).generate_state(4)) for seed in seeds}
    assert len(streams) == len(set(seeds)) == 4 * (1 + len(videos))


def test_a_batch_is_the_same_whatever_was_read_before(
    store: FrameStore, videos: pd.DataFrame
) -> None:
    def fresh() -> Batches:
        changes = Augmentation(shift=0.3, brightness=0.5, flip=True)
        weights = np.ones(CLASSES, np.float32)
        return Batches(store, videos, 2, weights, seed=3, augmentation=changes, repeats=2)

    used = fresh()
    for index in (6, 0, 3):
        used.batch(4, index)
    for index in range(len(used)):
        for one, other in zip(used.batch(1, index), fresh().batch(1, index), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_batch_larger_than_the_set_takes_what_there_is(
    store: FrameStore, videos: pd.DataFrame
) -> None:
    batches = Batches(store, videos, 100, np.ones(CLASSES, np.float32), seed=0, repeats=2)
    assert len(batches) == 1
    assert np.bincount(epoch_of(batches, 0)[0]).tolist() == [2] * 7


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_together_see_what_one_alone_would(
    store: FrameStore, videos: pd.DataFrame, workers: int
) -> None:
    def batches(size: int, worker: int, workers: int) -> Batches:
        changes = Augmentation(brightness=0.5)
        weights = np.ones(CLASSES, np.float32)
        return Batches(
            store, videos, size, weights, seed=5, augmentation=changes, repeats=2,
            worker=worker, workers=workers,
        )  # fmt: skip

    whole = batches(2 * workers, 0, 1)
    parts = [batches(2, worker, workers) for worker in range(workers)]
    assert {len(part) for part in parts} == {len(whole)}
    for index in range(len(whole)):
        frames, targets, _ = whole.batch(3, index)
        for worker, part in enumerate(parts):
            own, own_targets, weights = part.batch(3, index)
            # Of fewer clips than workers each has all: no batch is empty.
            taken = slice(worker, None, workers) if len(frames) >= workers else slice(None)
            np.testing.assert_array_equal(own, frames[taken])
            np.testing.assert_array_equal(own_targets, targets[taken])
            assert len(weights) == len(own)


def test_threads_read_at_once(store: FrameStore, videos: pd.DataFrame) -> None:
    batches = Batches(store, videos, 2, np.ones(CLASSES, np.float32), seed=1)
    places = [(epoch, index) for epoch in range(50) for index in range(len(batches))]
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda place: batches.batch(*place), places))
    for place, batch in zip(places, read, strict=True):
        for one, other in zip(batch, batches.batch(*place), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_video_without_frames_is_named(store: FrameStore) -> None:
    unknown = pd.DataFrame({"hash": ["f" * 64], "target": [0]})
    with pytest.raises(DataError, match="No frames of video ffffffffffff"):
        Batches(store, unknown, 1, np.ones(1, np.float32)).batch(0, 0)


def gradient() -> np.ndarray:
    """A clip whose pixels all differ along the width and the height, uint8 (2, 8, 6, 3)."""
    rows, columns = np.mgrid[:8, :6]
    frame = (20 * columns + rows)[..., None].repeat(3, -1)
    return np.stack([frame, frame]).astype(np.uint8)


def test_all_frames_of_a_clip_move_together_and_the_edge_is_repeated() -> None:
    frames = gradient()
    seen = set()
    for seed in range(30):
        moved = Augmentation(shift=0.25)(frames, np.random.default_rng(seed))
        np.testing.assert_array_equal(moved[0], moved[1])
        # A move of (d, r) shows at the first pixel where it is inside, at the edge where not.
        assert set(np.unique(moved)) <= set(np.unique(frames))
        seen.add((int(moved[0, 4, 3, 0]) % 20 - 4, int(moved[0, 4, 3, 0]) // 20 - 3))
    downs, rights = {down for down, _ in seen}, {right for _, right in seen}
    assert max(map(abs, downs)) == 2
    assert max(map(abs, rights)) == 2


def test_brightness_stays_within_its_share_and_within_uint8() -> None:
    frames = np.full((2, 2, 2, 3), 200, np.uint8)
    means = [
        Augmentation(brightness=0.5)(frames, np.random.default_rng(seed)).mean()
        for seed in range(40)
    ]
    assert min(means) >= 99
    assert max(means) == 255
    assert min(means) < 130


def test_half_of_the_clips_are_mirrored() -> None:
    frames = gradient()
    changed = 0
    for seed in range(200):
        found = Augmentation(flip=True)(frames, np.random.default_rng(seed))
        if not np.array_equal(found, frames):
            np.testing.assert_array_equal(found, frames[:, :, ::-1])
            changed += 1
    assert 70 < changed < 130


def test_nothing_asked_leaves_the_frames_alone() -> None:
    frames = gradient()
    np.testing.assert_array_equal(Augmentation()(frames, np.random.default_rng(0)), frames)
