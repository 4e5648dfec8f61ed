"""What counts is whether the frames of the video stream are right: a complaint about anything else
sets no file aside, and any doubt about a frame does. The truth is ffmpeg's own frames of the video
before it was made odd."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from reelflow.base.errors import VideoError
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import VideoInfo, check_video
from reelflow.video.intact_frames import find_intact
from reelflow.video.process_limits import Bounds
from tasks.ingest import main
from tests import odd
from tests.conftest import ffmpeg
from tests.truth import assert_decoder_agrees, same_frames

BOUNDS = Bounds(timeout_s=60)
Made = tuple[str, odd.Change, tuple[str, ...]]

HARMLESS: dict[str, Made] = {
    "only_sei.mp4": ("libx264", lambda n, p: [p, odd.SEI] if n in (30, 60) else [p], ()),
    "only_sei.mkv": ("libx264", lambda n, p: [p, odd.SEI] if n in (30, 60) else [p], ()),
    "only_delimiter.mp4": ("libx264", lambda n, p: [p, odd.DELIMITER] if n == 30 else [p], ()),
    "cut_sei.mp4": ("libx264", lambda n, p: [odd.CUT_SEI + p] if n == 30 else [p], ()),
    "second_view.mp4": ("libx264", lambda n, p: [odd.VIEW + p] if n % 25 == 0 else [p], ()),
}
DAMAGED: dict[str, Made] = {
    "half_gone.mp4": (
        "libx264",
        lambda n, p: [p[: len(p) // 2] + bytes(len(p) - len(p) // 2)] if n == 30 else [p],
        (),
    ),
    "lost.mp4": ("libx264", lambda n, p: [] if n == 30 else [p], ()),
    "cut.mkv": ("libx264", lambda n, p: [p[:40]] if n == 30 else [p], ()),
    "put_in_its_place.mp4": ("libx264", lambda n, p: [odd.DELIMITER] if n == 30 else [p], ()),
    "cut_sei_and_slice.mp4": (
        "libx264",
        lambda n, p: [odd.CUT_SEI + p[: len(p) // 2]] if n == 30 else [p],
        (),
    ),
}
SOUNDS = {"mp2.ts": "mp2", "mp3.ts": "libmp3lame", "ac3.ts": "ac3", "aac.ts": "aac"}


def frames_of(path: Path) -> list[str]:
    """MD5 of each frame of the video, by ffmpeg called plainly, in one thread."""
    listing = ffmpeg(
        *("-v", "quiet", "-threads", "1", "-i", f"file:{path}", "-map", "0:V:0"),
        *("-fps_mode", "passthrough", "-f", "framemd5", "-"),
    )
    return [line.split()[-1] for line in listing.decode().splitlines() if line[0] != "#"]


def usable(path: Path) -> VideoInfo:
    """It is whole, and whoever reads a clip of it gets the frames of ffmpeg."""
    info = check_video(path, BOUNDS)
    assert info.intact == info.frames == len(info.pts)
    clip = read_clip(path, ClipSpec(7, info.height, info.width), BOUNDS, info=info)
    same_frames(path, info, clip)
    assert_decoder_agrees(path, info, clip)
    return info


def code_of(path: Path) -> str:
    with pytest.raises(VideoError) as error:
        check_video(path, BOUNDS)
    return error.value.code


def with_sound(path: Path, sound: str, *options: str, codec: str = "libx264") -> Path:
    ffmpeg(*odd.picture(), *odd.SOUND, "-c:v", codec, "-c:a", sound, *options, f"file:{path}")
    return path


@pytest.mark.parametrize("name", HARMLESS)
def test_what_no_picture_needs_is_no_damage(name: str, tmp_path: Path) -> None:
    plain = odd.remade(tmp_path / f"plain_{name}", HARMLESS[name][0], lambda _, p: [p])
    path = odd.remade(tmp_path / name, *HARMLESS[name][:2], *HARMLESS[name][2])
    assert usable(path).frames == 100
    assert frames_of(path) == frames_of(plain)


@pytest.mark.parametrize("name", DAMAGED)
def test_any_doubt_about_a_picture_is(name: str, tmp_path: Path) -> None:
    path = odd.remade(tmp_path / name, *DAMAGED[name][:2], *DAMAGED[name][2])
    assert code_of(path) == "damaged"


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
def test_sound_is_not_ours_to_judge(name: str, codec: str, tmp_path: Path) -> None:
    assert usable(with_sound(tmp_path / name, SOUNDS[name], codec=codec)).frames == 100


def test_packets_of_the_sound_may_be_broken_those_of_the_video_not(tmp_path: Path) -> None:
    path = with_sound(tmp_path / "a.ts", "aac", "-b:a", "512k", "-ac", "2")
    whole = path.read_bytes()
    assert usable(odd.transport(path, 0x101, odd.broken)).frames == 100
    path.write_bytes(whole)
    assert code_of(odd.transport(path, 0x100, odd.broken)) == "damaged"


def test_of_two_videos_the_first_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    ffmpeg(
        *odd.picture(), *odd.picture(), *("-map", "0", "-map", "1"), "-c:v", "libx264", str(path)
    )
    whole = path.read_bytes()
    assert usable(odd.transport(path, 0x101, odd.noise)).frames == 100
    path.write_bytes(whole)
    assert code_of(odd.transport(path, 0x100, odd.noise)) in ("damaged", "no_frames")


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", ("-g", "25")),
        ("libx264", ("-g", "25", "-x264-params", "open-gop=1")),
        ("libx265", ("-x265-params", "log-level=error:keyint=25:open-gop=1")),
        ("mpeg2video", ("-bf", "2")),
    ],
)
def test_a_recording_may_begin_in_the_middle(
    codec: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    path = with_sound(tmp_path / "a.ts", "mp2", *options, codec=codec)
    content, truth = path.read_bytes(), frames_of(path)
    path.write_bytes(content[: 188 * 3] + content[188 * 60 :])
    info = usable(path)
    assert 60 <= info.frames < 100
    assert frames_of(path) == truth[-info.frames :]


def test_the_second_reader_reads_beside_sound_and_knows_the_end(tmp_path: Path) -> None:
    found = find_intact(with_sound(tmp_path / "a.mp4", "aac"), 0, BOUNDS)
    assert (found.whole, len(found.pts), found.encrypted) == (True, 100, False)


def test_ingest_uses_them(project: Path) -> None:
    for label, apart in (("news", "10"), ("sport", "20")):
        folder = project / "data" / "raw" / label
        folder.mkdir(parents=True)
        with_sound(folder / "mp2.ts", "mp2", "-g", apart, codec="mpeg2video")
        with_sound(folder / "mp3.ts", "libmp3lame", "-g", apart)
        odd.remade(folder / "sei.mp4", "libx264", HARMLESS["only_sei.mp4"][1], "-g", apart)
    main()
    assert len(pd.read_parquet("data/manifest.parquet")) == 6
