"""Extraction: what is decoded, what is kept, and that the bytes do not tell how they came to be."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.base.errors import DataError, VideoError
from reelflow.dataset.catalogue import catalogue
from reelflow.dataset.check_cache import CheckCache
from reelflow.extraction.decoded_cache import DecodedCache
from reelflow.extraction.engines import Engine, Video, local_engine
from reelflow.extraction.fill_store import extract_missing, finish_store, wanted_shards
from reelflow.extraction.read_clips import read_clip
from reelflow.intake.read_folder_or_csv import list_videos
from reelflow.store import shards as store_module
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo

SPEC = ClipSpec(4, 24, 32)
VIDEOS = 7


@pytest.fixture
def raw(tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Seven videos, whose clips go two to a shard."""
    monkeypatch.setattr(store_module, "SHARD_BYTES", 2 * math.prod(SPEC.shape))
    root = tmp_path / "raw"
    for seed in range(VIDEOS):
        make_video(root / "run" / f"{seed}.mp4", seed=seed, seconds=0.5)
    return root


def manifest_of(raw: Path) -> Path:
    path = raw.parent / "manifest.parquet"
    with CheckCache(raw.parent / "checks.sqlite") as cache:
        catalogue(raw, list_videos(raw), Bounds(), 2, cache).manifest.to_parquet(path)
    return path


def engine(raw: Path, spec: ClipSpec = SPEC) -> Engine:
    return local_engine(raw, raw.parent / "kept", spec, Bounds(), 2)


def extract(raw: Path, spec: ClipSpec = SPEC, elsewhere: dict[str, Path] | None = None) -> int:
    manifest, store = manifest_of(raw), raw.parent / "frames"
    cache = DecodedCache(raw.parent / "kept", spec, elsewhere)
    shards = wanted_shards(manifest, spec)
    done = extract_missing(manifest, shards, cache, engine(raw, spec), {})
    finish_store(shards, cache, store, spec)
    return done


def contents(store: Path) -> dict[str, bytes]:
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def from_nothing(raw: Path) -> dict[str, bytes]:
    """The store as it is made where nothing is kept."""
    for name in ("frames", "kept"):
        shutil.rmtree(raw.parent / name)
    extract(raw)
    return contents(raw.parent / "frames")


def test_the_store_holds_the_frames_of_each_video(raw: Path) -> None:
    assert extract(raw) == VIDEOS
    store = FrameStore(raw.parent / "frames")
    assert store.spec == SPEC
    for row in pd.read_parquet(manifest_of(raw)).to_dict("records"):
        clip = read_clip(raw / str(row["path"]), SPEC)
        np.testing.assert_array_equal(store.frames(str(row["hash"])), clip.frames)
        told = store.index.loc[str(row["hash"])]
        np.testing.assert_array_equal(told["timestamps"], clip.timestamps)
        assert told["brightness"] == pytest.approx(clip.frames.mean())


def test_a_clip_is_on_the_disk_once(raw: Path) -> None:
    extract(raw)
    assert {path.stat().st_nlink for path in (raw.parent / "frames").glob("*.npy")} == {2}
    assert not list((raw.parent / "kept" / "clips").iterdir())


def test_a_new_video_costs_one_decode_and_a_gone_one_leaves(
    raw: Path, make_video: MakeVideo
) -> None:
    extract(raw)
    store = raw.parent / "frames"
    before = {path.name: path.stat().st_ino for path in store.glob("*.npy")}
    make_video(raw / "run" / "new.mp4", seed=9)
    assert extract(raw) == 1
    after = {path.name: path.stat().st_ino for path in store.glob("*.npy")}
    kept = before.keys() & after.keys()
    assert len(before.keys() - kept) == 1
    assert {before[name] for name in kept} == {after[name] for name in kept}
    (raw / "run" / "0.mp4").unlink()
    assert extract(raw) == 0
    assert len(FrameStore(store)) == VIDEOS


def test_a_video_that_comes_back_is_not_decoded_again(raw: Path) -> None:
    extract(raw)
    whole = contents(raw.parent / "frames")
    (raw / "run" / "0.mp4").rename(raw.parent / "0.mp4")
    extract(raw)
    (raw.parent / "0.mp4").rename(raw / "run" / "0.mp4")
    assert extract(raw) == 0
    assert contents(raw.parent / "frames") == whole


def test_the_bytes_do_not_depend_on_how_the_store_came_to_be(
    raw: Path, make_video: MakeVideo
) -> None:
    shutil.move(raw / "run" / "0.mp4", raw.parent)
    extract(raw)
    shutil.move(raw.parent / "0.mp4", raw / "run")
    extract(raw)
    for seed in range(VIDEOS, VIDEOS + 4):
        make_video(raw / "run" / f"{seed}.mp4", seed=seed)
        (raw / "run" / f"{seed - 5}.mp4").unlink()
        extract(raw)
    grown = contents(raw.parent / "frames")
    assert from_nothing(raw) == grown


def test_what_a_kill_left_half_written_is_not_trusted_and_goes(raw: Path) -> None:
    extract(raw)
    whole, kept = contents(raw.parent / "frames"), raw.parent / "kept"
    shard = max(kept.glob("*.npy"), key=lambda path: path.stat().st_size)
    lost = len(np.load(shard))
    nobody = 1 << 22  # beyond the numbers of processes
    shard.rename(kept / f".tmp-reelflow-{nobody}-{shard.name}")
    (kept / "clips" / f".tmp-reelflow-{nobody}-1.npy").write_bytes(b"half")
    (raw.parent / "frames" / ".tmp-reelflow-2.npy").write_bytes(b"half")
    (raw.parent / "frames" / shard.name).unlink()
    assert extract(raw) == lost
    assert contents(raw.parent / "frames") == whole
    assert not list(raw.parent.rglob(".tmp-*"))


def test_what_else_lies_in_the_store_goes(raw: Path) -> None:
    store = raw.parent / "frames"
    (store / "ab").mkdir(parents=True)
    (store / "ab" / "unit of an older version.npz").touch()
    extract(raw)
    assert {path.suffix for path in store.iterdir()} == {".npy", ".parquet", ".json"}


def test_clips_that_were_decoded_before_a_kill_are_not_decoded_again(raw: Path) -> None:
    manifest = manifest_of(raw)
    shards = wanted_shards(manifest, SPEC)
    cache = DecodedCache(raw.parent / "kept", SPEC)
    missing = pd.read_parquet(manifest).iloc[:1]
    away = raw.parent / "away.mp4"
    (raw / missing["path"].iloc[0]).rename(away)
    with pytest.raises(DataError, match="1 of 7 videos could not be decoded"):
        extract_missing(manifest, shards, cache, engine(raw), {})
    away.rename(raw / missing["path"].iloc[0])
    assert extract(raw) == 1
    grown = contents(raw.parent / "frames")
    assert from_nothing(raw) == grown


def test_a_clip_that_was_damaged_while_it_waited_for_its_shard_is_decoded_again(raw: Path) -> None:
    manifest = manifest_of(raw)
    shards, cache = wanted_shards(manifest, SPEC), DecodedCache(raw.parent / "kept", SPEC)
    for path in raw.rglob("*.mp4"):
        path.rename(path.with_suffix(".away"))
    first = pd.read_parquet(manifest)["path"].iloc[0]
    (raw / first).with_suffix(".away").rename(raw / first)
    with pytest.raises(DataError, match="6 of 7 videos could not be decoded"):
        extract_missing(manifest, shards, cache, engine(raw), {})
    for path in raw.rglob("*.away"):
        path.rename(path.with_suffix(".mp4"))
    (clip,) = raw.parent.glob("kept/clips/*.npy")
    content = bytearray(clip.read_bytes())
    content[-200] ^= 1
    clip.write_bytes(content)
    assert extract(raw) == VIDEOS
    grown = contents(raw.parent / "frames")
    assert from_nothing(raw) == grown


def test_what_lies_elsewhere_is_taken_from_there(raw: Path, make_video: MakeVideo) -> None:
    extract(raw)
    elsewhere = raw.parent / "elsewhere"
    (raw.parent / "frames").rename(elsewhere)
    shutil.rmtree(raw.parent / "kept")
    make_video(raw / "run" / "new.mp4", seed=9)
    files = {path.name: path for path in elsewhere.iterdir()}
    files["0123abcd-0123456789abcdef.npy"] = elsewhere / "of another spec"
    assert extract(raw, elsewhere=files) == 1
    grown = contents(raw.parent / "frames")
    assert from_nothing(raw) == grown


def test_a_shard_that_was_spoilt_is_made_anew(raw: Path, make_video: MakeVideo) -> None:
    extract(raw)
    make_video(raw / "run" / "new.mp4", seed=9)
    for path in (raw.parent / "kept").glob("*.npy"):
        os.truncate(path, 200)
    assert extract(raw) == VIDEOS + 1
    grown = contents(raw.parent / "frames")
    assert from_nothing(raw) == grown


def test_another_spec_makes_all_clips_anew_and_those_of_the_first_are_kept(raw: Path) -> None:
    extract(raw)
    whole = contents(raw.parent / "frames")
    other = ClipSpec(4, 24, 32, fit="pad")
    assert extract(raw, other) == VIDEOS
    assert FrameStore(raw.parent / "frames").spec == other
    assert not whole.keys() & {path.name for path in (raw.parent / "frames").glob("*.npy")}
    assert extract(raw) == 0
    assert contents(raw.parent / "frames") == whole


def test_a_video_that_vanished_stops_the_stage_in_a_sentence_and_the_others_are_kept(
    raw: Path,
) -> None:
    manifest = manifest_of(raw)
    shards, cache = wanted_shards(manifest, SPEC), DecodedCache(raw.parent / "kept", SPEC)
    (raw / "run" / "1.mp4").unlink()
    with pytest.raises(DataError, match=r"1 of 7 videos could not be decoded.*1\.mp4"):
        extract_missing(manifest, shards, cache, engine(raw), {})
    clips = [*cache.spare([]), *cache.spare([])]
    assert len(set(clips)) == VIDEOS - 1


def test_a_video_whose_decoder_was_killed_from_outside_stops_the_stage(raw: Path) -> None:
    manifest, aside = manifest_of(raw), dict[str, VideoError]()
    shards, cache = wanted_shards(manifest, SPEC), DecodedCache(raw.parent / "kept", SPEC)

    def killing(videos: Iterable[Video]) -> Iterator[tuple[Video, VideoError | None]]:
        for number, (video, wrong) in enumerate(engine(raw)(videos)):
            killed = VideoError(video[0], "killed", "It was killed.", "Run it again.")
            yield video, wrong if number else killed

    with pytest.raises(DataError, match=r"1 of 7 .*Run it again"):
        extract_missing(manifest, shards, cache, killing, aside)
    assert not aside
