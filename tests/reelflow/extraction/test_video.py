"""What `check_video` and `read_clip` say, against ffmpeg called plainly and PyAV."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest

from reelflow.base.errors import VideoError
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import ClipSpec
from reelflow.video import process_limits as bounded
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo, ffmpeg

BOUNDS = Bounds(timeout_s=30, memory_mb=1024)
SPEC = ClipSpec(4, 24, 32)


def refusal(path: Path, bounds: Bounds = BOUNDS) -> VideoError:
    with pytest.raises(VideoError) as error:
        check_video(path, bounds)
    assert error.value.reason
    assert error.value.remedy
    assert error.value.path == str(path)
    return error.value


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mkv", "libx265"),
        ("a.avi", "mpeg4"),
        ("a.webm", "libvpx-vp9"),
        ("a.mov", "mjpeg"),
        ("a.gif", "gif"),
    ],
)
def test_every_container_is_read_frame_by_frame(
    tmp_path: Path, make_video: MakeVideo, name: str, codec: str
) -> None:
    path = make_video(tmp_path / name, codec=codec)
    info = check_video(path, BOUNDS)
    with av.open(str(path)) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    assert info.frames == len(times) == 10
    unit = float(times[1] - times[0]) / (info.pts[1] - info.pts[0])
    np.testing.assert_allclose(np.array(info.pts) * unit, [float(t) for t in times], atol=1e-9)
    assert (info.width, info.height) == (64, 48)
    assert info.duration == pytest.approx(1.0)


def test_the_extension_does_not_matter(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.mp4").rename(tmp_path / "a.txt")
    assert check_video(path, BOUNDS).codec == "h264"


@pytest.mark.parametrize(
    "name", ["-x.mp4", "a b.mp4", "a:b.mp4", "a'\"%d.mp4", "new\nline.mp4", "pipe:1", "ü.mp4"]
)
def test_odd_names_are_only_names(tmp_path: Path, make_video: MakeVideo, name: str) -> None:
    path = make_video(tmp_path / "plain.mp4").rename(tmp_path / name)
    assert read_clip(path, SPEC).frames.shape == SPEC.shape


def test_files_that_are_no_video_are_refused_with_a_reason(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    (tmp_path / "text.mp4").write_text("hello", encoding="utf-8")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "random.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    os.mkfifo(tmp_path / "fifo.mp4")
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", f"file:{tmp_path / 'sound.mp4'}")
    assert refusal(tmp_path / "text.mp4").code == "unreadable"
    assert refusal(tmp_path / "random.mp4").code == "unreadable"
    assert refusal(tmp_path / "empty.mp4").code == "empty"
    assert refusal(tmp_path / "fifo.mp4").code == "not_a_file"
    assert refusal(tmp_path).code == "not_a_file"
    assert refusal(tmp_path / "absent.mp4").code == "missing"
    assert refusal(tmp_path / "sound.mp4").code == "no_video"


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", ("-movflags", "+faststart")),
        ("a.mkv", "libx264", ()),
        ("a.avi", "mpeg4", ()),
    ],
)
def test_a_file_cut_short_is_damaged_though_its_header_is_whole(
    tmp_path: Path, make_video: MakeVideo, name: str, codec: str, options: tuple[str, ...]
) -> None:
    path = make_video(tmp_path / name, codec=codec, options=options, seconds=5, size="320x240")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 8 // 10])
    assert refusal(tmp_path / name).code == "damaged"


def test_a_file_with_bytes_overwritten_in_the_middle_is_damaged(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=3, size="160x120")
    content = bytearray(path.read_bytes())
    content[2000:6000] = np.random.default_rng(1).bytes(4000)
    path.write_bytes(content)
    assert refusal(path).code in ("damaged", "unreadable")


def test_a_decoder_has_only_so_much_memory(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=4, rate=30, size="640x480")
    assert refusal(path, Bounds(timeout_s=30, memory_mb=210)).code in ("memory", "crash")


def test_the_time_of_a_decoder_grows_with_what_the_video_holds(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = make_video(tmp_path / "once.mkv", seconds=5, size="1920x1080", codec="ffv1")
    path = tmp_path / "a.mkv"
    ffmpeg("-stream_loop", "7", "-i", str(once), "-c", "copy", str(path))
    # It takes more than the second that it has at the least, and earns more as it goes.
    assert check_video(path, Bounds(timeout_s=0.5)).frames == 400
    monkeypatch.setattr(bounded, "_SECONDS_A_MB", 0.0)
    for a_frame in (0.0005, 0.0):
        monkeypatch.setattr(bounded, "_SECONDS_A_FRAME", a_frame)
        error = refusal(path, Bounds(timeout_s=0.5))
        assert error.code == "timeout"
        assert "of CPU" in error.reason


def test_hours_of_video_pass_by_default(tmp_path: Path, make_video: MakeVideo) -> None:
    options = ("-bf", "0")
    path = make_video(
        tmp_path / "a.mkv", seconds=18_000, rate=4, size="16x16", codec="mpeg4", options=options
    )
    assert check_video(path, Bounds()).duration == pytest.approx(18_000)
    # Three hours of 1080p at 4 Mbit a second, which take 10 to 30 ms of CPU a frame.
    assert Bounds().cpu_seconds(3 * 3600 * 500_000, 3 * 3600 * 30) > 3 * 3600 * 30 * 0.06


def test_the_clip_is_what_ffmpeg_decodes_at_these_times(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=2, size="64x48")
    clip = read_clip(path, ClipSpec(5, 24, 32))
    indices = [round(float(t) * 10) for t in clip.timestamps]
    assert indices == [2, 6, 10, 14, 18]
    flags = "area+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
    raw = ffmpeg(
        *("-i", str(path), "-vf", f"scale=32:24:flags={flags},format=rgb24"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
    )
    every = np.frombuffer(raw, np.uint8).reshape(20, 24, 32, 3)
    np.testing.assert_array_equal(clip.frames, every[indices])


def test_two_readings_give_the_same_bytes(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.webm", codec="libvpx-vp9")
    np.testing.assert_array_equal(read_clip(path, SPEC).frames, read_clip(path, SPEC).frames)


def test_rotation_is_honoured(tmp_path: Path, make_video: MakeVideo) -> None:
    plain = make_video(tmp_path / "plain.mp4")
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "-90", "-i", str(plain), "-c", "copy", str(turned))
    info = check_video(turned, BOUNDS)
    assert (info.width, info.height, info.rotation) == (48, 64, 90)
    upright = read_clip(plain, ClipSpec(2, 48, 64)).frames
    clockwise = read_clip(turned, ClipSpec(2, 64, 48)).frames
    difference = np.abs(np.rot90(upright, -1, axes=(1, 2)).astype(int) - clockwise)
    assert difference.mean() < 2.0


def test_pixel_aspect_is_honoured(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.mp4", options=("-vf", "setsar=2"))
    info = check_video(path, BOUNDS)
    assert (info.width, info.height) == (128, 48)


def test_a_video_whose_size_changes_has_that_of_its_first_frame(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.h264", size="64x48")
    path.write_bytes(path.read_bytes() + make_video(tmp_path / "b.h264", size="96x32").read_bytes())
    info = check_video(path, BOUNDS)
    assert (info.width, info.height, info.frames) == (64, 48, 20)
    assert len(set(read_clip(path, ClipSpec(20, 48, 64), info=info).timestamps)) == 20


def test_a_frame_of_another_shape_is_cut_padded_or_stretched(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mp4", size="96x48")
    clips = {
        fit: read_clip(path, ClipSpec(1, 48, 48, fit=fit)).frames[0]
        for fit in ("crop", "pad", "stretch")
    }
    assert {clip.shape for clip in clips.values()} == {(48, 48, 3)}
    assert not clips["pad"][:11].any()
    assert clips["pad"][13:35].any()
    whole = read_clip(path, ClipSpec(1, 48, 96)).frames[0]
    np.testing.assert_array_equal(clips["crop"], whole[:, 24:72])


def test_a_clip_of_fewer_frames_than_wanted_repeats_some(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=0.2)
    clip = read_clip(path, ClipSpec(6, 24, 32))
    assert clip.timestamps.tolist() == pytest.approx([0, 0, 0, 0.1, 0.1, 0.1])
    np.testing.assert_array_equal(clip.frames[0], clip.frames[2])


def test_a_file_that_changed_since_it_was_checked_is_noticed(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=1)
    info = check_video(path, BOUNDS)
    make_video(path, seconds=0.5)
    with pytest.raises(VideoError) as error:
        read_clip(path, SPEC, info=info)
    assert error.value.code == "changed"


@pytest.mark.parametrize("longest", [100_000, 100])
def test_hundreds_of_frames_far_apart_are_those_of_the_whole_video(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=30, size="32x32")
    info = check_video(path, BOUNDS)
    every = read_clip(path, ClipSpec(300, 16, 16), BOUNDS, info=info)
    monkeypatch.setattr("reelflow.extraction.ffmpeg_decoder.LONGEST", longest, raising=False)
    some = read_clip(path, ClipSpec(150, 16, 16), BOUNDS, info=info)
    np.testing.assert_array_equal(some.timestamps, every.timestamps[1::2])
    np.testing.assert_array_equal(some.frames, every.frames[1::2])
