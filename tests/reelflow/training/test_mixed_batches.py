"""Batches whose clips are mixed, or drawn so that classes come alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.training.augmentation import Augmentation
from reelflow.training.batches import Batch, Batches
from reelflow.training.mixing import Mixing
from tests.dataset import write_clips

SPEC = ClipSpec(frames=2, height=8, width=6)
TARGETS = [0, 0, 0, 0, 0, 0, 1, 1, 2]
WEIGHTS = np.array([0.5, 1.5, 3.0], np.float32)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    """Nine clips; every pixel of clip i is 20 i."""
    root = tmp_path_factory.mktemp("mixed") / "frames"
    clips = {
        f"{number:064x}": Clip(np.full(SPEC.shape, 20 * number, np.uint8), np.arange(2.0))
        for number in range(9)
    }
    write_clips(root, clips, SPEC)
    return FrameStore(root)


def batches(store: FrameStore, size: int = 4, **options: Any) -> Batches:
    videos = pd.DataFrame({"hash": store.index["hash"].to_list(), "target": TARGETS})
    return Batches(store, videos, size, WEIGHTS, **{"seed": 1, **options})


def joined(batches: Batches, epochs: int = 1) -> Batch:
    read = [batches.batch(epoch, at) for epoch in range(epochs) for at in range(len(batches))]
    frames, targets, weights = (np.concatenate(part) for part in zip(*read, strict=True))
    return frames, targets, weights


def test_labels_are_mixed_as_the_clips_are_and_sum_to_one(store: FrameStore) -> None:
    plain, targets, _ = joined(batches(store))
    frames, shares, weights = joined(batches(store, mixing=Mixing(mixup=1.0)))
    assert (shares.shape, shares.dtype) == ((9, 3), np.float32)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(weights, shares @ WEIGHTS, rtol=1e-6)
    mixed = 0
    for at in range(9):
        one, other = (int(plain[place].flat[0]) for place in (at, (at + 1) % 9))
        own, another = targets[at], targets[(at + 1) % 9]
        if own != another:
            share = shares[at, own]
            assert frames[at].flat[0] == pytest.approx(share * one + (1 - share) * other, abs=0.51)
            assert share + shares[at, another] == pytest.approx(1)
            mixed += 0.01 < share < 0.99
        else:
            assert shares[at, own] == pytest.approx(1)
    assert mixed >= 3


def test_smoothing_alone_leaves_the_clips_and_their_weights(store: FrameStore) -> None:
    plain, targets, weights = joined(batches(store))
    frames, shares, smoothed = joined(batches(store, mixing=Mixing(label_smoothing=0.3)))
    np.testing.assert_array_equal(frames, plain)
    np.testing.assert_array_equal(shares.argmax(axis=1), targets)
    np.testing.assert_allclose(shares.max(axis=1), 0.8, rtol=1e-6)
    np.testing.assert_array_equal(smoothed, weights)


def test_each_class_is_drawn_as_often_and_whole_before_a_clip_comes_again(
    store: FrameStore,
) -> None:
    frames, targets, _ = joined(batches(store, balanced=True), epochs=4)
    assert np.bincount(targets).tolist() == [12, 12, 12]
    clips = np.bincount(frames[:, 0, 0, 0, 0] // 20, minlength=9)
    # Three of the six in an epoch; both of the two, and one of them again; the only one thrice.
    assert clips[:6].sum() == 12
    assert clips[6] + clips[7] == 12
    assert min(clips[6], clips[7]) >= 4
    assert clips[8] == 12


def test_classes_that_do_not_divide_a_pass_have_the_rest_in_turns(store: FrameStore) -> None:
    videos = pd.DataFrame({"hash": store.index["hash"].to_list()[:8], "target": TARGETS[:8]})
    videos.loc[7, "target"] = 2
    drawn = Batches(store, videos, 8, WEIGHTS, seed=1, balanced=True)
    found = [np.bincount(drawn.batch(epoch, 0)[1]) for epoch in range(3)]
    assert [sorted(counts) for counts in found] == [[2, 3, 3]] * 3
    assert sum(found).tolist() == [8, 8, 8]  # type: ignore[union-attr]


def test_a_clip_that_comes_again_is_changed_otherwise(store: FrameStore) -> None:
    drawn = batches(store, 9, balanced=True, augmentation=Augmentation(brightness=0.5))
    frames, targets, _ = drawn.batch(0, 0)
    assert len(np.unique(frames[targets == 2][:, 0, 0, 0, 0])) == 3


def test_workers_together_see_what_one_alone_would(store: FrameStore) -> None:
    options = {"mixing": Mixing(mixup=1.0, cutmix=1.0), "balanced": True}
    whole = batches(store, 4, **options)
    parts = [batches(store, 2, worker=worker, workers=2, **options) for worker in range(2)]
    for index in range(len(whole)):
        for worker, part in enumerate(parts):
            for own, all_of_them in zip(part.batch(2, index), whole.batch(2, index), strict=True):
                # A clip that is left over alone is everybody's.
                mine = all_of_them[worker::2] if len(all_of_them) > 1 else all_of_them
                np.testing.assert_array_equal(own, mine)
