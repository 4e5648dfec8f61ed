"""The frame store: who shares a shard, what the index says, and reading by place."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelflow.base.errors import DataError
from reelflow.store import shards as module
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.store.shards import open_shard, record_of, shards_of, write_shard
from tests.dataset import write_clips

SPEC = ClipSpec(2, 8, 6)


def hashes(numbers: Iterable[int]) -> list[str]:
    return sorted(hashlib.sha256(str(number).encode()).hexdigest() for number in numbers)


def clip_of(video: str) -> Clip:
    random = np.random.default_rng(int(video[:8], 16))
    return Clip(random.integers(0, 256, SPEC.shape, np.uint8), random.random(2))


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four clips a shard."""
    monkeypatch.setattr(module, "SHARD_BYTES", 4 * math.prod(SPEC.shape))


@pytest.fixture
def store(tmp_path: Path, small_shards: None) -> FrameStore:
    write_clips(tmp_path / "frames", {video: clip_of(video) for video in hashes(range(50))}, SPEC)
    return FrameStore(tmp_path / "frames")


def test_every_clip_is_in_one_shard_and_none_is_too_large(small_shards: None) -> None:
    for count in (1, 4, 5, 300):
        videos = hashes(range(count))
        shards = shards_of(videos, SPEC)
        assert [video for members in shards.values() for video in members] == videos
        assert max(map(len, shards.values())) <= 4
    assert len(shards) < 2.5 * 300 / 4
    assert shards_of([], SPEC) == {}


def test_one_more_or_less_video_changes_one_shard(small_shards: None) -> None:
    numbers = list(range(300))
    before = shards_of(hashes(numbers), SPEC)
    for number in range(300, 340):
        numbers.append(number)
        after = shards_of(hashes(numbers), SPEC)
        # Where a shard was full, its clips are now in two; more only by a rare chance of bits.
        assert len(before.keys() - after.keys()) == 1
        assert 1 <= len(after.keys() - before.keys()) <= 4
        before = after


def test_clips_larger_than_a_shard_stand_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_BYTES", 10)
    assert all(len(members) == 1 for members in shards_of(hashes(range(20)), SPEC).values())


def test_the_name_of_a_shard_tells_its_spec() -> None:
    videos = hashes(range(3))
    one, other = shards_of(videos, SPEC), shards_of(videos, ClipSpec(2, 8, 6, fit="pad"))
    assert not one.keys() & other.keys()
    assert all(name.startswith(f"{SPEC.id}-") for name in one)


def test_each_clip_is_read_back(store: FrameStore) -> None:
    videos = hashes(range(50))
    assert len(store) == 50
    for video in videos:
        clip = clip_of(video)
        np.testing.assert_array_equal(store.frames(video), clip.frames)
        row = store.index.loc[video]
        np.testing.assert_array_equal(row["timestamps"], clip.timestamps)
        assert row["brightness"] == clip.frames.mean()
        steps = np.abs(np.diff(clip.frames.astype(float), axis=0))
        assert row["change"] == pytest.approx(steps.mean())


def test_a_shard_is_plain_numpy(store: FrameStore) -> None:
    video = hashes(range(50))[7]
    shard = np.load(store.root / store.index.at[video, "shard"], mmap_mode="r")
    frames = shard[shard["hash"] == video.encode()]["frames"][0]
    np.testing.assert_array_equal(frames, clip_of(video).frames)


def test_places_are_found_together_and_a_video_without_frames_is_named(store: FrameStore) -> None:
    videos = hashes(range(50))[::-3]
    into = np.empty(SPEC.shape, np.uint8)
    for video, place in zip(videos, store.places(videos), strict=True):
        store.read(int(place), into)
        np.testing.assert_array_equal(into, clip_of(video).frames)
    for unknown in ("0" * 64, "f" * 64, videos[0][:-1] + "x"):
        with pytest.raises(DataError, match=f"No frames of video {unknown[:12]}.*`extract`"):
            store.places([*videos, unknown])


def test_a_store_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run the stage `extract` first"):
        FrameStore(tmp_path / "absent")


@pytest.mark.parametrize("content", [b"", b"text", b"cut"])
def test_a_spoilt_shard_is_a_sentence(store: FrameStore, content: bytes) -> None:
    path = store.root / store.index["shard"].iloc[0]
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[:-200] if content == b"cut" else content)
    last = store.index.index[store.index["shard"] == path.name][-1]
    with pytest.raises(DataError, match="not a readable shard of frames.*`extract`"):
        store.frames(str(last))
    with pytest.raises(DataError, match="not a readable shard of frames"):
        open_shard(path)


def test_an_array_that_is_no_shard_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(DataError, match="it has other fields"):
        open_shard(tmp_path / "a.npy")


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    record = record_of("a" * 64, clip_of("ab" * 32))
    for name in ("one", "two"):
        write_shard(tmp_path / f"{name}.npy", record)
    assert (tmp_path / "one.npy").read_bytes() == (tmp_path / "two.npy").read_bytes()


def test_a_single_frame_has_no_change() -> None:
    clip = Clip(np.full((1, 8, 6, 3), 9, np.uint8), np.zeros(1))
    assert record_of("a" * 64, clip)["change"] == 0
    assert record_of("a" * 64, clip)["brightness"] == 9


def test_reading_needs_no_pandas() -> None:
    # A second of every stage and of every decoding process.
    code = "import sys, reelflow.extraction.fill_store; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("knob", [{"rate": 5.0}, {"box": (0.0, 0.0, 0.5, 1.0)}, {"window": 0.5}])
def test_a_knob_that_does_not_apply_makes_no_other_clip(knob: dict[str, Any]) -> None:
    assert ClipSpec(2, 8, 6, **knob) == SPEC
    assert ClipSpec(2, 8, 6, **knob).id == SPEC.id


def test_a_knob_that_applies_makes_another_clip() -> None:
    assert ClipSpec(2, 8, 6, sampler="fps", rate=5.0).id != ClipSpec(2, 8, 6, sampler="fps").id
    assert (
        ClipSpec(2, 8, 6, region="motion", window=0.5).id != ClipSpec(2, 8, 6, region="motion").id
    )
