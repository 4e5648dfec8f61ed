from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.catalogue import catalogue
from reelflow.checkcache import CheckCache
from reelflow.errors import DataError
from reelflow.extraction import extract_missing, finish_store
from reelflow.labelled import list_videos
from reelflow.store import FrameStore
from reelflow.video.clip import ClipSpec
from reelflow.video.ffmpeg import Bounds
from reelflow.video.read import read_clip
from tests.conftest import MakeVideo

SPEC = ClipSpec(4, 24, 32)


@pytest.fixture
def raw(tmp_path: Path, make_video: MakeVideo) -> Path:
    root = tmp_path / "raw"
    for seed in range(3):
        make_video(root / "run" / f"{seed}.mp4", seed=seed)
    return root


def manifest_of(raw: Path) -> pd.DataFrame:
    with CheckCache(raw.parent / "checks.sqlite") as cache:
        return catalogue(raw, list_videos(raw), Bounds(), 2, cache).manifest


def extract(raw: Path, spec: ClipSpec = SPEC) -> int:
    manifest, store = manifest_of(raw), raw.parent / "frames"
    done = extract_missing(manifest, raw, store, spec, Bounds(), 2)
    finish_store(manifest, store, spec)
    return done


def contents(store: Path) -> dict[str, bytes]:
    return {
        path.relative_to(store).as_posix(): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file()
    }


def test_the_store_holds_the_frames_of_each_video(raw: Path) -> None:
    assert extract(raw) == 3
    store = FrameStore(raw.parent / "frames")
    assert store.spec == SPEC
    for row in manifest_of(raw).to_dict("records"):
        clip = read_clip(raw / str(row["path"]), SPEC)
        np.testing.assert_array_equal(store.frames(str(row["hash"])), clip.frames)
        told = store.index.loc[str(row["hash"])]
        np.testing.assert_array_equal(told["timestamps"], clip.timestamps)
        assert told["brightness"] == pytest.approx(clip.frames.mean())


def test_a_new_video_costs_one_decode_and_a_gone_one_leaves(
    raw: Path, make_video: MakeVideo
) -> None:
    extract(raw)
    make_video(raw / "run" / "new.mp4", seed=9)
    (raw / "run" / "0.mp4").unlink()
    assert extract(raw) == 1
    units = [name for name in contents(raw.parent / "frames") if name.endswith(".npz")]
    assert len(units) == 3


def test_the_bytes_do_not_depend_on_how_the_store_came_to_be(
    raw: Path, make_video: MakeVideo
) -> None:
    extract(raw)
    make_video(raw / "run" / "new.mp4", seed=9)
    extract(raw)
    grown = contents(raw.parent / "frames")
    for path in sorted((raw.parent / "frames").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    extract(raw)
    assert contents(raw.parent / "frames") == grown


def test_what_a_kill_left_half_written_is_not_trusted_and_goes(raw: Path) -> None:
    extract(raw)
    whole = contents(raw.parent / "frames")
    unit = next(name for name in whole if name.endswith(".npz"))
    (raw.parent / "frames" / unit).rename(raw.parent / "frames" / unit.replace("/", "/.tmp-"))
    assert extract(raw) == 1
    assert contents(raw.parent / "frames") == whole


def test_another_spec_makes_all_units_anew(raw: Path) -> None:
    extract(raw)
    other = ClipSpec(4, 24, 32, fit="pad")
    assert extract(raw, other) == 3
    assert FrameStore(raw.parent / "frames").spec == other
    assert len(contents(raw.parent / "frames")) == 5


def test_a_video_that_vanished_stops_the_stage_in_a_sentence_and_the_others_are_kept(
    raw: Path,
) -> None:
    manifest = manifest_of(raw)
    (raw / "run" / "1.mp4").unlink()
    with pytest.raises(DataError, match=r"1 of 3 videos could not be decoded.*1\.mp4"):
        extract_missing(manifest, raw, raw.parent / "frames", SPEC, Bounds(), 2)
    assert len(contents(raw.parent / "frames")) == 2


def test_a_video_without_frames_is_a_sentence(raw: Path) -> None:
    extract(raw)
    with pytest.raises(DataError, match="run the stage `extract`"):
        FrameStore(raw.parent / "frames").frames("0" * 64)
    with pytest.raises(DataError, match="run the stage `extract`"):
        FrameStore(raw.parent / "absent")
