"""The reason for which a file is set aside is one on which a person can act."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from reelflow.base.errors import VideoError
from reelflow.video.check_by_decoding import check_video
from reelflow.video.inspection import inspect
from reelflow.video.process_limits import Bounds
from tests import odd
from tests.conftest import ROOT, ffmpeg
from tests.hostile.boxes import cluster, element, matroska, matroska_track, number

BOUNDS = Bounds(timeout_s=60)
KEY = "00112233445566778899aabbccddeeff"
AAC = ("-c:a", "aac")


def refusal(path: Path) -> VideoError:
    with pytest.raises(VideoError) as error:
        check_video(path, BOUNDS)
    return error.value


def made(path: Path, codec: str, *options: str) -> Path:
    ffmpeg(*odd.picture(), *odd.SOUND, "-c:v", codec, *options, f"file:{path}")
    return path


def renamed(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    return path


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libsvtav1"])
def test_an_encrypted_video_is_called_so(codec: str, tmp_path: Path) -> None:
    scheme = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY, "-encryption_kid", KEY)
    path = made(tmp_path / "a.mp4", codec, *AAC, *scheme)
    assert refusal(path).code == "encrypted"
    # It is nothing else that it is refused for.
    plain = tmp_path / "plain.mp4"
    ffmpeg("-decryption_key", KEY, "-i", str(path), "-c", "copy", str(plain))
    assert check_video(plain, BOUNDS).frames == 100


def test_so_is_one_in_matroska(tmp_path: Path) -> None:
    key = element("5035", number("47e1", 5), element("47e2", bytes(16)))
    for encryption in (key, element("5035", number("47e1", 5))):
        packing = element(
            "6240", number("5031", 0), number("5032", 1), number("5033", 1), encryption
        )
        track = matroska_track(b"V_MPEG4/ISO/ASP", 64, 48, element("6d80", packing))
        path = tmp_path / "a.mkv"
        path.write_bytes(matroska(track, cluster(0, bytes(500), bytes(500))))
        assert refusal(path).code == "encrypted"


def test_so_is_a_broadcast_that_is_scrambled(tmp_path: Path) -> None:
    path = made(tmp_path / "a.ts", "libx264", "-c:a", "mp2")
    for pid in (0x100, 0x101):
        odd.transport(path, pid, odd.scrambled)
    assert refusal(path).code == "encrypted"


@pytest.mark.parametrize("codec", ["snow", "flashsv"])
def test_the_codec_that_is_named_is_that_of_the_video(codec: str, tmp_path: Path) -> None:
    error = refusal(made(tmp_path / "a.mkv", codec, *AAC, "-strict", "-2"))
    assert error.code == "codec"
    assert f"({codec})" in error.reason
    assert "aac" not in error.reason


def test_a_codec_that_nobody_knows_is_named_as_the_file_names_it(tmp_path: Path) -> None:
    for path in (
        renamed(made(tmp_path / "a.mp4", "libx264", *AAC), b"avc1", b"zqzq"),
        renamed(made(tmp_path / "a.avi", "mpeg4", "-c:a", "mp2"), b"FMP4", b"zqzq"),
    ):
        error = refusal(path)
        assert error.code == "codec"
        assert "zqzq" in error.reason


def test_pictures_that_are_gone_are_no_matter_of_the_codec_of_the_sound(tmp_path: Path) -> None:
    path = made(tmp_path / "a.mp4", "libx264", *AAC)
    content = path.read_bytes()
    start = content.index(b"mdat") + 4
    size = int.from_bytes(content[start - 8 : start - 4], "big") - 8
    path.write_bytes(content[:start] + bytes(size) + content[start + size :])
    error = refusal(path)
    assert error.code == "no_frames"
    assert "Invalid NAL unit size" in error.reason


def test_a_recording_without_a_first_picture_says_what_the_decoder_missed(tmp_path: Path) -> None:
    path = made(tmp_path / "a.ts", "libx264", *AAC)
    content = path.read_bytes()
    path.write_bytes(content[: 188 * 3] + content[188 * 60 :])
    error = refusal(path)
    assert error.code == "no_frames"
    assert "non-existing PPS" in error.reason


def test_what_is_no_video_is_told_from_what_was_cut_off(tmp_path: Path) -> None:
    sound, text, cut = (tmp_path / name for name in ("a.m4a", "b.mp4", "c.mp4"))
    ffmpeg(*odd.SOUND, str(sound))
    text.write_text("Not here, but in the other folder.\n", encoding="utf-8")
    cut.write_bytes(made(tmp_path / "d.mp4", "libx264", *AAC).read_bytes()[:-5000])
    assert (refusal(sound).code, refusal(text).code) == ("no_video", "unreadable")
    assert "text" in refusal(text).reason
    assert "cut off" in refusal(cut).reason


def test_what_nobody_can_open_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    for content, reason in (
        (bytes(100_000), "zeros"),
        (np.random.default_rng(0).bytes(100_000), "no format"),
        (b"PK\3\4" + bytes(1000), "no format"),
    ):
        path.write_bytes(content)
        error = refusal(path)
        assert error.code == "unreadable"
        assert reason in error.reason


def test_inspect_says_it_too(tmp_path: Path) -> None:
    path = made(tmp_path / "a.mp4", "libx264", *AAC, "-encryption_scheme", "cenc-aes-ctr",
                "-encryption_key", KEY, "-encryption_kid", KEY)  # fmt: skip
    told = subprocess.run(
        [ROOT / ".venv" / "bin" / "reelflow", "inspect", str(path)], capture_output=True, text=True
    )
    assert "It is encrypted" in told.stdout + told.stderr
    assert inspect(str(path), BOUNDS).repair == ""
