"""What is done about videos that cannot be decoded to their end: each policy keeps its word."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from reelflow.base.errors import VideoError
from reelflow.dataset.catalogue import Catalogue, catalogue
from reelflow.dataset.check_cache import CheckCache
from reelflow.extraction.read_clips import read_clip
from reelflow.intake.read_folder_or_csv import list_videos
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import DamagedVideoError, VideoInfo, check_video
from reelflow.video.damage_policy import Policy
from reelflow.video.inspection import inspect
from reelflow.video.process_limits import Bounds
from tests.clips import read_clips
from tests.conftest import MakeVideo

BOUNDS = Bounds(timeout_s=60)
SPEC = ClipSpec(10, 24, 32)


@pytest.fixture
def raw(tmp_path: Path, make_video: MakeVideo) -> Path:
    """A whole video of 30 frames, one that lacks its end, one that is no video."""
    whole = make_video(tmp_path / "raw" / "run" / "whole.mkv", seconds=3, size="160x120")
    content = whole.read_bytes()
    (whole.parent / "cut.mkv").write_bytes(content[: len(content) * 95 // 100])
    (whole.parent / "text.mkv").write_bytes(b"no video")
    return tmp_path / "raw"


def damaged(raw: Path) -> VideoInfo:
    with pytest.raises(DamagedVideoError) as error:
        check_video(raw / "run" / "cut.mkv", BOUNDS)
    return error.value.info


def look(raw: Path, policy: Policy) -> Catalogue:
    with CheckCache(raw.parent / "checks.sqlite") as cache:
        return catalogue(raw, list_videos(raw), BOUNDS, 1, cache, policy=policy)


def test_what_is_used_and_what_is_set_aside(raw: Path) -> None:
    lost = damaged(raw).repeated
    assert 0 < lost < 10
    share = lost / 30
    used = {
        name: [Path(path).name for path in look(raw, policy).manifest["path"]]
        for name, policy in {
            "quarantine": Policy(),
            "error": Policy("error", 0.49),
            "enough": Policy("repeat_last", share),
            "too little": Policy("repeat_last", share - 0.01),
        }.items()
    }
    assert used == {
        "quarantine": ["whole.mkv"],
        "error": ["whole.mkv"],
        "enough": ["cut.mkv", "whole.mkv"],
        "too little": ["whole.mkv"],
    }
    found = look(raw, Policy("repeat_last", share))
    assert found.filled["path"].tolist() == ["run/cut.mkv"]
    assert found.filled[["frames", "intact"]].to_numpy().tolist() == [[30, 30 - lost]]
    assert found.bad["path"].tolist() == ["run/text.mkv"]


def test_nothing_is_decoded_anew_when_the_policy_changes(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(raw, Policy())
    at_work: list[object] = []
    monkeypatch.setattr(
        "reelflow.dataset.catalogue.each", lambda do, items, workers: at_work.extend(items) or []
    )
    assert len(look(raw, Policy("repeat_last", 0.4)).manifest) == 2
    assert at_work == []


@pytest.mark.parametrize("sampler", ["uniform", "fps", "dense", "keyframes"])
def test_the_last_whole_frame_stands_for_those_that_are_lost(raw: Path, sampler: str) -> None:
    spec = ClipSpec(30, 24, 32, sampler=sampler, rate=10.0)
    info = damaged(raw)
    truth = read_clip(raw / "run" / "whole.mkv", spec)
    clip = read_clip(raw / "run" / "cut.mkv", spec, BOUNDS, info=info)
    last = info.pts[info.intact - 1] / 1000
    np.testing.assert_allclose(clip.timestamps, np.minimum(truth.timestamps, last))
    kept = truth.timestamps < last + 0.001
    np.testing.assert_array_equal(clip.frames[kept], truth.frames[kept])
    stand_in = truth.frames[np.flatnonzero(kept)[-1]]
    for frame in clip.frames[~kept]:
        np.testing.assert_array_equal(frame, stand_in)


def test_it_is_the_same_alone_and_among_others(raw: Path) -> None:
    info, path = damaged(raw), raw / "run" / "cut.mkv"
    whole = raw / "run" / "whole.mkv"
    together = read_clips([(whole, check_video(whole, BOUNDS)), (path, info)], SPEC, BOUNDS)
    alone = read_clip(path, SPEC, BOUNDS, info=info)
    assert not isinstance(together[1], VideoError)
    np.testing.assert_array_equal(together[1].frames, alone.frames)


def test_motion_is_looked_for_in_what_is_whole(raw: Path) -> None:
    spec = ClipSpec(10, 24, 32, region="motion")
    clip = read_clip(raw / "run" / "cut.mkv", spec, BOUNDS, info=damaged(raw))
    assert clip.frames.shape == spec.shape


def test_a_video_without_one_whole_frame_is_never_used(raw: Path) -> None:
    info = VideoInfo(**{**asdict(damaged(raw)), "intact": 0})
    error = DamagedVideoError("x", "It is damaged.", "Copy it again.", info)
    assert Policy("repeat_last", 0.49).verdict(error) is error


def test_inspect_judges_as_the_policy_does(raw: Path) -> None:
    path = str(raw / "run" / "cut.mkv")
    assert not inspect(path, BOUNDS).usable
    found = inspect(path, BOUNDS, Policy("repeat_last", 0.4))
    assert found.usable
    assert found.to_dict()["intact"] < found.to_dict()["frames"]
