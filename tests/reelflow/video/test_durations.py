"""How long the last frame is shown, the file tells, where it does. The truth is what it was made
with, and what ffmpeg reads in the header."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from reelflow.video.check_by_decoding import VideoInfo, check_video
from reelflow.video.ffmpeg import ffmpeg_exe
from reelflow.video.process_limits import Bounds
from tests import odd
from tests.conftest import MakeVideo, ffmpeg

BOUNDS = Bounds(timeout_s=60)
# Frame n comes at n * n tenths of a second.
QUADRATIC = "testsrc2=size=64x48:rate=10:duration=1,setpts=(N*N)/10/TB"


def header_of(path: Path) -> float:
    told = subprocess.run([ffmpeg_exe(), "-i", str(path)], capture_output=True, text=True).stderr
    found = re.search(r"Duration: (\d+):(\d+):([\d.]+)", told)
    assert found
    hours, minutes, seconds = (float(part) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def checked(path: Path, *arguments: str) -> VideoInfo:
    ffmpeg(*arguments, f"file:{path}")
    return check_video(path, BOUNDS)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov", "a.flv", "a.webm"])
def test_at_a_variable_rate_the_video_ends_where_its_header_says(name: str, tmp_path: Path) -> None:
    codec = {"a.flv": "flv", "a.webm": "libvpx"}.get(name, "libx264")
    path = tmp_path / name
    source = ("-f", "lavfi", "-i", QUADRATIC, "-fps_mode", "vfr")
    info = checked(path, *source, "-c:v", codec, "-bf", "0")
    assert info.frames == 10
    assert info.duration == pytest.approx(header_of(path), abs=0.02)
    assert info.fps == pytest.approx(10 / info.duration)


def test_a_gif_may_show_its_last_picture_for_long(tmp_path: Path) -> None:
    source = "testsrc2=size=64x48:rate=10:duration=1"
    info = checked(tmp_path / "a.gif", "-f", "lavfi", "-i", source, "-final_delay", "250")
    assert info.duration == pytest.approx(0.9 + 2.5)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.gif", "gif")])
def test_a_video_of_one_frame_has_a_rate(
    name: str, codec: str, tmp_path: Path, make_video: MakeVideo
) -> None:
    info = check_video(make_video(tmp_path / name, seconds=0.1, codec=codec), BOUNDS)
    assert (info.frames, info.fps, info.duration) == (1, pytest.approx(10), pytest.approx(0.1))


def test_an_avi_has_short_units_and_states_no_duration(tmp_path: Path) -> None:
    path = odd.remade(tmp_path / "a.avi", "mpeg4", lambda _, packet: [packet])
    info = check_video(path, BOUNDS)
    assert Fraction(info.time_base) < Fraction(1, 100)
    assert (info.frames, info.duration) == (100, pytest.approx(4.0, abs=0.01))
