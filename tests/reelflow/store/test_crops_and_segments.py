"""More stored than seen: what is drawn in training, and what is looked at outside of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.extraction.pyav_decoder import Decoder
from reelflow.extraction.read_clips import read_clip
from reelflow.extraction.region import WHOLE
from reelflow.extraction.samplers import segments, uniform
from reelflow.extraction.wanted_frames import Wanted
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.crops_and_segments import drawn, shown, views
from reelflow.store.frame_store import FrameStore
from reelflow.store.shards import record_of
from reelflow.training.augmentation import Augmentation
from reelflow.training.batches import Batches
from reelflow.training.predict_clip import predict_views
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from tests.clips import read_clips
from tests.conftest import MakeVideo
from tests.dataset import write_clips

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)
# Two crops would have no centre; three crops of four segments of three frames.
BOTH = ClipSpec(4, 6, 8, crops=3, sampler="segments", per_segment=3)


def numbered(spec: ClipSpec) -> Clip:
    """Every frame holds its own number: crop x 100 + its place in time."""
    times = spec.frames * spec.choices
    frames = np.empty((spec.crops, times, *spec.stored_shape[1:]), np.uint8)
    for crop in range(spec.crops):
        for time in range(times):
            frames[crop, time] = 100 * crop + time
    return Clip(frames.reshape(spec.stored_shape), np.arange(times) / 10)


def test_a_clip_of_which_all_is_seen_is_seen_as_it_is() -> None:
    spec = ClipSpec(5, 6, 8)
    clip = numbered(spec)
    assert spec.stored_shape == spec.shape
    assert spec.seen == spec
    assert np.shares_memory(views(clip.frames, spec), clip.frames)
    np.testing.assert_array_equal(shown(clip, spec).frames, clip.frames)
    random = np.random.default_rng(0)
    np.testing.assert_array_equal(drawn(clip.frames, spec, random), clip.frames)
    assert random.random() == np.random.default_rng(0).random(), "nothing was drawn"


def test_training_sees_one_crop_and_one_frame_of_each_segment_and_in_time_all_of_them() -> None:
    clip, random = numbered(BOTH), np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        frames = drawn(clip.frames, BOTH, random)
        assert frames.shape == BOTH.shape
        crops, times = np.divmod(frames[:, 0, 0, 0], 100)
        assert len(set(crops.tolist())) == 1
        assert (times // 3).tolist() == [0, 1, 2, 3]
        seen |= {(int(crops[0]), int(time)) for time in times}
    assert seen == {(crop, time) for crop in range(3) for time in range(12)}


def test_outside_of_training_the_middle_frames_of_every_crop_are_seen() -> None:
    found = views(numbered(BOTH).frames, BOTH)
    assert found.shape == (3, *BOTH.shape)
    assert found[:, :, 0, 0, 0].tolist() == [[100 * c + t for t in (1, 4, 7, 10)] for c in range(3)]
    clip = shown(numbered(BOTH), BOTH)
    assert clip.frames[:, 0, 0, 0].tolist() == [101, 104, 107, 110]
    assert clip.timestamps.tolist() == [0.1, 0.4, 0.7, 1.0]


@pytest.mark.parametrize("per_segment", [1, 3, 5])
def test_the_middle_of_a_segment_is_the_frame_that_uniform_takes(per_segment: int) -> None:
    random = np.random.default_rng(0)
    for count in (1, 2, 7, 50, 301):
        pts = np.sort(random.integers(-500, 10_000, count))
        spec = ClipSpec(6, 8, 8, sampler="segments", per_segment=per_segment)
        taken = segments(pts, 1.0, spec).reshape(6, per_segment)
        assert (np.diff(taken.ravel()) >= 0).all()
        expected = uniform(pts, 1.0, spec.seen)
        np.testing.assert_array_equal(taken[:, per_segment // 2], expected)


@pytest.mark.parametrize("size", ["96x64", "64x96", "50x50"])
@pytest.mark.parametrize("region", ["whole", "motion"])
def test_stored_frames_hold_those_that_are_seen(
    tmp_path: Path, make_video: MakeVideo, size: str, region: str
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=2, rate=25, size=size)
    info = check_video(path, BOUNDS)
    spec = ClipSpec(
        4, 24, 32, crops=3, sampler="segments", per_segment=3, region=region, window=0.8
    )
    stored, seen = (read_clip(path, each, BOUNDS, info=info) for each in (spec, spec.seen))
    assert stored.frames.shape == spec.stored_shape == (36, 24, 32, 3)
    assert seen.frames.shape == (12, 24, 32, 3)
    np.testing.assert_array_equal(views(stored.frames, spec), views(seen.frames, spec.seen))
    # The crop in the middle is the one that there is without others.
    alone = read_clip(path, ClipSpec(4, 24, 32, region=region, window=0.8), BOUNDS, info=info)
    middle = shown(stored, spec)
    np.testing.assert_array_equal(middle.frames, alone.frames)
    np.testing.assert_array_equal(middle.timestamps, alone.timestamps)


def test_the_crops_are_the_ends_and_the_middle_of_the_whole_picture(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mp4", size="96x32")
    info = check_video(path, BOUNDS)
    spec = ClipSpec(3, 32, 32, crops=3)
    whole = read_clip(path, ClipSpec(3, 32, 96), BOUNDS, info=info).frames
    found = views(read_clip(path, spec, BOUNDS, info=info).frames, spec)
    for crop, left in enumerate((0, 32, 64)):
        np.testing.assert_array_equal(found[crop], whole[:, :, left : left + 32])


def test_crops_are_the_same_by_the_process_that_stays(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    spec = ClipSpec(3, 24, 24, crops=3, sampler="segments")
    paths = [make_video(tmp_path / f"{n}.mp4", seed=n, size="96x64") for n in range(2)]
    videos = [(path, check_video(path, BOUNDS)) for path in paths]
    for found, (path, info) in zip(read_clips(videos, spec, BOUNDS), videos, strict=True):
        assert isinstance(found, Clip)
        expected = read_clip(path, spec, BOUNDS, info=info)
        np.testing.assert_array_equal(found.frames, expected.frames)
    own = Decoder()
    times = np.asarray(videos[0][1].pts, np.int64)
    wanted = Wanted(paths[0], videos[0][1], spec, WHOLE, times, np.array([0, 5]))
    frames = own.decode(wanted, BOUNDS)
    own.close()
    assert frames is not None
    assert frames.shape == (2, 24, 36, 3)


def test_change_is_measured_within_each_crop() -> None:
    spec = ClipSpec(2, 4, 4, crops=3)
    clip = Clip(np.repeat([10, 12, 90, 92, 200, 202], 48).astype(np.uint8).reshape(6, 4, 4, 3),
                np.array([0.0, 1.0]))  # fmt: skip
    assert record_of("a" * 64, clip)["change"][0] == 2
    assert spec.stored_shape == clip.frames.shape


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    clips = {f"{number:064x}": numbered(BOTH) for number in range(5)}
    write_clips(tmp_path / "frames", clips, BOTH)
    return FrameStore(tmp_path / "frames")


def batches(store: FrameStore, **options: Any) -> Batches:
    table = pd.DataFrame({"hash": store.index["hash"].tolist(), "target": 0})
    return Batches(store, table, 5, np.ones(1, np.float32), **options)


def test_batches_draw_anew_each_epoch_and_the_same_by_the_same_seed(store: FrameStore) -> None:
    first = [batches(store, seed=1).batch(epoch, 0)[0] for epoch in range(3)]
    again = [batches(store, seed=1).batch(epoch, 0)[0] for epoch in range(3)]
    np.testing.assert_array_equal(first, again)
    assert first[0].shape == (5, *BOTH.shape)
    drawn_of = {batch[:, :, 0, 0, 0].tobytes() for batch in first}
    assert len(drawn_of) == 3
    assert len({clip.tobytes() for clip in first[0]}) > 1, "each clip draws for itself"
    # Whatever the number of workers.
    parts = [batches(store, seed=1, worker=w, workers=2).batch(0, 0)[0] for w in range(2)]
    together = np.empty_like(first[0])
    together[0::2], together[1::2] = parts
    np.testing.assert_array_equal(together, first[0])
    brighter = batches(store, seed=1, augmentation=Augmentation(brightness=0.5)).batch(0, 0)[0]
    assert not np.array_equal(brighter, first[0])


def test_batches_without_a_seed_take_the_middle(store: FrameStore) -> None:
    frames = batches(store).batch(0, 0)[0]
    assert frames[:, :, 0, 0, 0].tolist() == [[101, 104, 107, 110]] * 5


def test_the_probabilities_of_several_views_are_their_mean() -> None:
    class Model:
        input_shape = (None, *BOTH.shape)
        inputs = (SimpleNamespace(dtype="uint8"),)

        def predict_on_batch(self, clips: Any) -> Any:
            share = np.float32(clips.mean() / 400)
            return np.array([[share, 1 - share]], np.float32)

    model: Any = Model()
    three = views(numbered(BOTH).frames, BOTH)
    alone = [predict_views(model, three[[crop]]) for crop in range(3)]
    found = predict_views(model, three)
    np.testing.assert_array_equal(found, np.mean(alone, axis=0, dtype=np.float32))
    assert found.dtype == np.float32
    assert found[0] == pytest.approx((5.5 + 100) / 400)
