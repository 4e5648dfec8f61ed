"""Several videos at once: the same clips as alone, and one that fails costs only itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelflow.base.errors import VideoError
from reelflow.extraction import read_clips as read
from reelflow.extraction.read_clips import read_clip
from reelflow.extraction.wanted_frames import Wanted
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.video.check_by_decoding import VideoInfo, check_video
from reelflow.video.process_limits import Bounds
from tests.clips import read_clips
from tests.conftest import MakeVideo

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)
SPEC = ClipSpec(5, 24, 32)
KINDS = (
    ("a.mp4", "libx264"),
    ("b.avi", "mpeg4"),
    ("c.mkv", "mpeg4"),
    ("d.mov", "mjpeg"),
    ("e.mpg", "mpeg2video"),
    ("f.webm", "libvpx"),
    ("- g 'h'.mp4", "libx264"),
    ("h.flv", "flv"),
    ("i.gif", "gif"),
    ("j.mkv", "ffv1"),
)
Checked = list[tuple[Path, VideoInfo]]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo) -> Checked:
    folder = tmp_path_factory.mktemp("videos")
    paths = [
        make_video(folder / name, codec=codec, rate=25, seconds=0.4 + 0.2 * at, seed=at)
        for at, (name, codec) in enumerate(KINDS)
    ]
    return [(path, check_video(path, BOUNDS)) for path in paths]


@pytest.fixture(params=[True, False], ids=["stays", "ffmpeg"], autouse=True)
def stays(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the process that stays may decode some of them."""
    if not request.param:
        monkeypatch.setattr(read, "takes", lambda wanted: False)
    return bool(request.param)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The videos that ffmpeg decodes."""
    names: list[str] = []

    def noted(wanted: Wanted, bounds: Bounds) -> Any:
        names.append(wanted.path.name)
        return decode(wanted, bounds)

    decode = read.decode
    monkeypatch.setattr(read, "decode", noted)
    return names


def same(found: Clip | VideoError, expected: Clip) -> None:
    assert isinstance(found, Clip), found
    np.testing.assert_array_equal(found.frames, expected.frames)
    np.testing.assert_array_equal(found.timestamps, expected.timestamps)


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        ClipSpec(4, 24, 32, fit="pad", sampler="dense", places=2),
        ClipSpec(3, 24, 24, region="box", box=(0.25, 0.25, 0.5, 0.5)),
        ClipSpec(3, 24, 24, region="motion"),
        ClipSpec(2, 24, 32, sampler="keyframes"),
    ],
    ids=["uniform", "dense", "box", "motion", "keyframes"],
)
def test_clips_are_the_same_alone_and_in_company(videos: Checked, spec: ClipSpec) -> None:
    for found, (path, info) in zip(read_clips(videos, spec, BOUNDS), videos, strict=True):
        same(found, read_clip(path, spec, BOUNDS, info=info))


def test_the_process_that_stays_decodes_short_videos(
    videos: Checked, left: list[str], stays: bool
) -> None:
    read_clips(videos, SPEC, BOUNDS)
    assert left == (["j.mkv"] if stays else [name for name, _ in KINDS])


def test_ffmpeg_decodes_long_videos(
    videos: Checked, left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelflow.extraction.pyav_decoder._SHORT", 1)
    read_clips(videos, SPEC, BOUNDS)
    assert left == [name for name, _ in KINDS]


def test_of_no_video_there_is_no_clip() -> None:
    assert read_clips([], SPEC, BOUNDS) == []


def test_one_that_cannot_be_read_costs_only_itself(
    videos: Checked, tmp_path: Path, make_video: MakeVideo
) -> None:
    gone = make_video(tmp_path / "gone.mp4")
    changed = make_video(tmp_path / "changed.mp4", seconds=2)
    cut = make_video(tmp_path / "cut.mp4", seconds=2)
    bad = [(path, check_video(path, BOUNDS)) for path in (gone, changed, cut)]
    gone.unlink()
    make_video(changed, seconds=1)
    cut.write_bytes(cut.read_bytes()[:500])
    mixed = [videos[0], bad[0], videos[1], bad[1], videos[2], bad[2], videos[3]]
    found = read_clips(mixed, SPEC, BOUNDS)
    codes = [found[at].code for at in (1, 3, 5) if isinstance(found[at], VideoError)]  # type: ignore[union-attr]
    assert codes == ["missing", "changed", "changed"]
    for at in (0, 2, 4, 6):
        same(found[at], read_clip(mixed[at][0], SPEC, BOUNDS, info=mixed[at][1]))


def test_no_descriptor_stays_open(videos: Checked) -> None:
    read_clips(videos, SPEC, BOUNDS)  # starts the process that stays
    before = len(list(Path("/proc/self/fd").iterdir()))
    read_clips(videos, SPEC, BOUNDS)
    # Fewer, if what another test left is closed meanwhile.
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
