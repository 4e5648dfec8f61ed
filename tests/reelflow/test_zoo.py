"""Odd, messy and broken files of many codecs and containers, as the world makes them.

Each verdict below was found by looking at the file with other programs; each frame is compared
with what ffmpeg, called plainly, decodes at the same time.
"""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path

import pytest

from reelflow.errors import VideoError
from reelflow.video.check import VideoInfo, check_video
from reelflow.video.clip import ClipSpec
from reelflow.video.ffmpeg import Bounds
from reelflow.video.read import read_clip
from tests.conftest import ffmpeg

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)

REFUSED = {
    "SOURCES.tsv": "unreadable",
    "derived_random_bytes.mp4": "unreadable",
    "derived_text_named.mp4": "unreadable",
    "derived_truncated_nasa.mp4": "unreadable",
    "filetype_audio_only.m4a": "no_video",
    "filetype_headeronly_dash.mp4": "unreadable",
    "filetype_truncated_moov.mov": "unreadable",
    "moviepy_zero_byte_result.webm": "empty",
}
# name: width and height as shown, frames, degrees clockwise
GOOD = {
    "-video-with-dash-.mp4": (1, 1, 5, 0),
    "FLIR Thermal.mp4": (1080, 1440, 84, 0),
    "decord_video_180.mov": (568, 320, 3, 180),
    "decord_video_270.mov": (320, 568, 3, 270),
    "filetype.3gp": (504, 288, 166, 0),
    "filetype.avi": (640, 356, 1, 0),
    "filetype.flv": (268, 156, 25, 0),
    "filetype.gif": (200, 133, 1, 0),
    "filetype.m4v": (640, 356, 1, 0),
    "filetype.mpg": (160, 120, 19, 0),
    "filetype.webm": (640, 356, 1, 0),
    "filetype_imovie.mp4": (640, 356, 1, 0),
    "filetype_mjpeg.mov": (640, 480, 15, 0),
    "filetype_null.webm": (1920, 1080, 36, 0),
    "intel_asl_milk.mkv": (640, 480, 51, 0),
    "intel_asl_yes.mkv": (640, 480, 65, 0),
    "k400_abseiling.mp4": (455, 256, 250, 0),
    "mmaction2_NTU_S001C001P001R001A001_rgb.avi": (1920, 1080, 103, 0),
    "mmaction2_test.mp4": (455, 256, 300, 0),
    "mmaction2_test_hmdb.avi": (320, 240, 164, 0),
    "moviepy_bbb_432_433.webm": (1280, 720, 24, 0),
    "moviepy_no_duration.webm": (1280, 720, 74, 0),
    "moviepy_pigs_in_a_polka.gif": (314, 273, 30, 0),
    "moviepy_smpte-2997.mp4": (1920, 1080, 251, 0),
    "phone_with-gps.mov": (320, 568, 120, 90),
    "phone_with-gps.mp4": (1920, 1080, 3, 0),
    "torchcodec_av1_video.mkv": (640, 360, 125, 0),
    "torchcodec_h265_10bits.mp4": (200, 200, 30, 0),
    "torchcodec_h265_video.mp4": (128, 128, 10, 0),
    "ucf101_v_Basketball_g01_c01.avi": (320, 240, 141, 0),
    "uuid540.mp4": (960, 540, 31, 0),
}


def test_every_file_of_the_zoo_has_a_verdict(shared: Path) -> None:
    assert {p.name for p in (shared / "zoo").iterdir()} == set(GOOD) | set(REFUSED)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_usable_video_is_refused(shared: Path, name: str) -> None:
    with pytest.raises(VideoError) as error:
        check_video(shared / "zoo" / name, BOUNDS)
    assert error.value.code == REFUSED[name]


@pytest.mark.parametrize("name", GOOD)
def test_frames_are_those_that_ffmpeg_decodes_at_their_times(shared: Path, name: str) -> None:
    path = shared / "zoo" / name
    info = check_video(path, BOUNDS)
    assert (info.width, info.height, info.frames, info.rotation) == GOOD[name]
    clip = read_clip(path, ClipSpec(7, info.height, info.width), BOUNDS, info=info)
    truth = _hashes_by_time(path, info)
    for frame, seconds in zip(clip.frames, clip.timestamps, strict=True):
        nearest = min(truth, key=lambda time, at=seconds: abs(time - at))  # type: ignore[misc]
        assert abs(nearest - seconds) < 1e-6
        assert hashlib.md5(frame.tobytes()).hexdigest() in truth[nearest]


def _hashes_by_time(path: Path, info: VideoInfo) -> dict[float, set[str]]:
    """MD5 of every frame in RGB at its shown size, by its time in seconds, from `framemd5`."""
    flags = "area+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
    listing = ffmpeg(
        *("-copyts", "-i", f"file:{path}", "-map", f"0:{info.stream}", "-an"),
        *("-vf", f"scale={info.width}:{info.height}:flags={flags},format=rgb24"),
        *("-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "framemd5", "-"),
    ).decode()
    base = Fraction(1)
    found: dict[float, set[str]] = {}
    for line in listing.splitlines():
        if line.startswith("#tb 0:"):
            base = Fraction(line.split(":")[1].strip())
        elif not line.startswith("#"):
            cells = [cell.strip() for cell in line.split(",")]
            found.setdefault(float(int(cells[2]) * base), set()).add(cells[5])
    return found
