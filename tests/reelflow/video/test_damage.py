"""What of a damaged video is whole, and that the remedies which are offered work.

The truth is the video before it was damaged, decoded by ffmpeg called plainly.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from reelflow.base.errors import VideoError
from reelflow.dataset.check_cache import CheckCache
from reelflow.video.check_by_decoding import DamagedVideoError, check_video
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo, ffmpeg

BOUNDS = Bounds(timeout_s=60)
KINDS = {
    "a.mp4": ("libx264", ("-movflags", "+faststart")),
    "a.mkv": ("libx264", ()),
    "b.mp4": ("libx265", ("-movflags", "+faststart", "-x265-params", "log-level=error")),
    "a.webm": ("libvpx-vp9", ("-deadline", "realtime")),
    "a.avi": ("mpeg4", ()),
    "a.mov": ("mjpeg", ("-movflags", "+faststart")),
    "a.flv": ("flv", ()),
}


def frames_of(path: Path) -> list[str]:
    """MD5 of each frame."""
    listing = ffmpeg("-i", f"file:{path}", "-fps_mode", "passthrough", "-f", "framemd5", "-")
    lines = [line for line in listing.decode().splitlines() if not line.startswith("#")]
    return [line.rsplit(",", 1)[1].strip() for line in lines]


def cut(content: bytes) -> bytes:
    return content[: len(content) * 7 // 10]


def overwrite(content: bytes) -> bytes:
    first, last = len(content) * 5 // 10, len(content) * 6 // 10
    return content[:first] + np.random.default_rng(1).bytes(last - first) + content[last:]


def refusal(path: Path) -> VideoError:
    with pytest.raises(VideoError) as error:
        check_video(path, BOUNDS)
    return error.value


def repaired(path: Path, remedy: str) -> Path:
    """What the command in the remedy makes of the file."""
    command = re.search("`ffmpeg (.*)`", remedy)
    assert command
    target = path.with_name("repaired.mkv")
    words = {"IN": f"file:{path}", "OUT.mkv": f"file:{target}"}
    ffmpeg(*[words.get(word, word) for word in shlex.split(command[1])])
    return target


@pytest.mark.parametrize("damage", [cut, overwrite])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_called_whole_is_what_it_was(
    name: str, damage: object, tmp_path: Path, make_video: MakeVideo
) -> None:
    codec, options = KINDS[name]
    path = make_video(tmp_path / name, codec=codec, options=options, seconds=3, size="160x120")
    truth = frames_of(path)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    error = refusal(path)
    assert isinstance(error, DamagedVideoError)
    info = error.info
    # At least half of each lies before the damage, of which a few pictures wait for later ones.
    assert 8 <= info.intact < info.frames
    assert frames_of_first(path, info.intact) == truth[: info.intact]
    assert f"{info.intact} of {info.frames} frames are whole" in error.reason
    again = check_video(repaired(path, error.remedy), BOUNDS)
    assert again.frames == again.intact == info.intact
    assert frames_of(tmp_path / "repaired.mkv") == truth[: info.intact]


def frames_of_first(path: Path, count: int) -> list[str]:
    listing = ffmpeg(
        *("-i", f"file:{path}", "-fps_mode", "passthrough", "-frames:v", str(count)),
        *("-f", "framemd5", "-"),
    )
    return [line.split()[-1] for line in listing.decode().splitlines() if line[0] != "#"]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.flv"])
def test_what_the_header_promises_counts_though_it_is_not_there(
    name: str, tmp_path: Path, make_video: MakeVideo
) -> None:
    codec, options = KINDS[name]
    path = make_video(tmp_path / name, codec=codec, options=options, seconds=3, size="160x120")
    path.write_bytes(cut(path.read_bytes()))
    error = refusal(path)
    assert isinstance(error, DamagedVideoError)
    assert error.info.frames == len(error.info.pts) == 30
    assert error.info.duration == pytest.approx(3.0, abs=0.1)


def test_the_same_is_found_each_time_and_remembered(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.mp4", options=("-movflags", "+faststart"), seconds=3)
    path.write_bytes(cut(path.read_bytes()))
    first, again = refusal(path), refusal(path)
    assert isinstance(first, DamagedVideoError)
    assert isinstance(again, DamagedVideoError)
    assert (first.info, str(first)) == (again.info, str(again))
    with CheckCache(tmp_path / "checks.sqlite") as cache:
        cache.store_verdict(first.info.hash, first)
        known = cache.verdict_on(first.info.hash, path)
    assert isinstance(known, DamagedVideoError)
    assert (known.info, str(known)) == (first.info, str(first))


def test_a_codec_that_is_not_read_here_can_be_converted(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.avi", codec="snow", options=("-strict", "-2"))
    error = refusal(path)
    assert error.code == "codec"
    assert check_video(repaired(path, error.remedy), BOUNDS).frames == 10


def test_frames_of_one_time_get_times(tmp_path: Path, make_video: MakeVideo) -> None:
    still = ("-bsf:v", "setts=pts=0:dts=0")
    path = make_video(tmp_path / "a.mkv", codec="mjpeg", options=still)
    error = refusal(path)
    assert error.code == "times"
    assert check_video(repaired(path, error.remedy), BOUNDS).duration == pytest.approx(0.4, abs=0.1)
