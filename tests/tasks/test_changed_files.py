"""Files that are written to while the pipeline runs: nothing is kept under the hash of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.base.errors import UnavailableError, VideoError
from reelflow.dataset import catalogue
from reelflow.extraction import engines
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.video.check_by_decoding import check_video, hash_file
from reelflow.video.process_limits import Bounds
from tasks import extract, ingest
from tests.checkout import TINY, Checkout, make_project
from tests.conftest import MakeVideo

SPEC = ClipSpec(4, 24, 32)
RAW = Path("data/raw")


@pytest.fixture
def raw(project: Path, make_video: MakeVideo) -> Path:
    return videos(RAW, make_video)


def videos(root: Path, make_video: MakeVideo) -> Path:
    for number, label in enumerate(("run", "sit")):
        for seed in range(3):
            make_video(root / label / f"{seed}.mp4", seed=seed + 10 * number, seconds=0.5)
    return root


def assert_right(root: Path = Path()) -> None:
    """Every clip of the store shows the video that has its hash."""
    store = FrameStore(root / "data/frames")
    paths = {hash_file(path): path for path in (root / RAW).rglob("*.mp4")}
    assert sorted(paths) == sorted(store.index["hash"])
    for digest, path in paths.items():
        np.testing.assert_array_equal(store.frames(digest), read_clip(path, store.spec).frames)


@pytest.mark.slow
def test_a_file_replaced_between_ingest_and_extract_is_no_frame_of_the_old_one(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    checkout: Checkout = make_project(tmp_path / "project")
    checkout.set_params(**TINY)
    videos(checkout.root / RAW, make_video)
    checkout.dvc("add", "data/raw")
    checkout.dvc("repro", "ingest")
    path, away = checkout.root / RAW / "run/1.mp4", tmp_path / "away.mp4"
    path.rename(away)
    make_video(path, seed=5, seconds=0.5)  # other pictures at the same times
    told = checkout.call("dvc", "repro", "--single-item", "extract", check=False).stdout
    assert "run/1.mp4: It is no longer the file that was checked" in told
    checkout.dvc("repro", "extract")
    assert_right(checkout.root)
    path.unlink()
    away.rename(path)
    checkout.dvc("repro", "extract")
    assert_right(checkout.root)


@pytest.mark.parametrize("in_place", [False, True])
def test_a_file_replaced_while_it_is_decoded_gives_no_frames_though_it_is_the_old_one_again(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, in_place: bool
) -> None:
    raw = videos(tmp_path, make_video)
    info = check_video(raw / "run/1.mp4", Bounds())
    path, old = raw / "run/1.mp4", (raw / "run/1.mp4").read_bytes()

    def replace(content: bytes) -> None:
        if not in_place:
            path.unlink()
        path.write_bytes(content)

    read = engines.read_clip

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        replace((raw / "run/2.mp4").read_bytes())
        clip = read(*args, **kwargs)
        replace(old)
        return clip

    video = ("run/1.mp4", info)
    assert len(engines.clip_of(raw, SPEC, Bounds(), video).frames)
    monkeypatch.setattr(engines, "read_clip", meanwhile)
    with pytest.raises(VideoError) as error:
        engines.clip_of(raw, SPEC, Bounds(), video)
    assert error.value.code == "changed"


@pytest.mark.parametrize("function", ["hash_and_stamp", "check_video"])
def test_a_file_written_to_while_ingest_reads_it_gets_no_verdict_of_other_bytes(
    raw: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    path, longer = raw / "run/1.mp4", make_video(raw.parent / "new.mp4", seed=5, seconds=0.8)
    work = getattr(catalogue, function)

    def instead(which: Path, *args: Any, **kwargs: Any) -> Any:
        found = work(which, *args, **kwargs)
        if which == path and longer.exists():
            longer.replace(path)
            found = found if function == "hash_and_stamp" else work(which, *args, **kwargs)
        return found

    monkeypatch.setattr(catalogue, function, instead)
    # In this process, where things are instead.
    monkeypatch.setattr(catalogue, "each", lambda work, items, _: ((i, work(i)) for i in items))
    with pytest.raises(UnavailableError, match=r"'run/1\.mp4' changed in data/raw while"):
        ingest.main()
    ingest.main()
    manifest = pd.read_parquet("data/manifest.parquet").set_index("path")
    assert manifest.loc["run/1.mp4", "hash"] == hash_file(path)
    assert manifest.loc["run/1.mp4", "frames"] == 8
    extract.main()
    assert_right()


def test_a_file_that_comes_while_videos_are_checked_is_not_missed(
    raw: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = make_video(raw.parent / "late.mp4", seed=5, seconds=0.5)
    work = ingest.catalogue

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        found = work(*args, **kwargs)
        if late.exists():
            late.rename(raw / "sit/late.mp4")
        return found

    monkeypatch.setattr(ingest, "catalogue", meanwhile)
    with pytest.raises(UnavailableError, match=r"'sit/late\.mp4' changed in data/raw"):
        ingest.main()
    ingest.main()
    assert len(pd.read_parquet("data/manifest.parquet")) == 7
