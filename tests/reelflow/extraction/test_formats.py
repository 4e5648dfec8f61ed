"""Videos of every make, generated here: the frames are those that ffmpeg, called plainly, decodes.

Each is made by ffmpeg as a camera, a phone, an editor or a broken upload makes it; what it must be
found to be is stated beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from reelflow.base.errors import VideoError
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from tests.conftest import ffmpeg
from tests.truth import assert_decoder_agrees, same_frames

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)
Steps = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Made:
    """How a video is made: calls of ffmpeg, in which `{name}` is a file; the last makes `name`.

    Attributes:
        name: of the file.
        steps: arguments of each call.
        size: width and height as shown.
        frames: how many.
        rotation: degrees clockwise.
    """

    name: str
    steps: Steps
    size: tuple[int, int] = (96, 64)
    frames: int = 12
    rotation: int = 0


def source(rate: int = 12, size: str = "96x64", seconds: float = 1.0) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}")


PLAIN = (*source(), "-c:v", "libx264", "-g", "6", "{plain.mp4}")


def turned(name: str, *how: str, size: tuple[int, int], rotation: int) -> Made:
    again = (*how, "-i", "{plain.mp4}", "-c", "copy", f"{{{name}}}")
    return Made(name, (PLAIN, again), size, rotation=rotation)


def encoded(name: str, *options: str, **found: object) -> Made:
    return Made(name, ((*source(), *options, f"{{{name}}}"),), **found)  # type: ignore[arg-type]


def remuxed(name: str, *options: str, **found: object) -> Made:
    return Made(name, (PLAIN, (*options, f"{{{name}}}")), **found)  # type: ignore[arg-type]


COPY = ("-i", "{plain.mp4}", "-c", "copy")
CASES = (
    # Turned as phones turn.
    turned("r90.mp4", "-display_rotation", "-90", size=(64, 96), rotation=90),
    turned("r180.mov", "-display_rotation", "180", size=(96, 64), rotation=180),
    turned("r270.mp4", "-display_rotation", "90", size=(64, 96), rotation=270),
    # To ffmpeg a mirror is half a turn, and upside down.
    turned("mirrored.mp4", "-display_hflip", size=(96, 64), rotation=180),
    turned("upside-down.mp4", "-display_vflip", size=(96, 64), rotation=0),
    turned("r90m.mp4", "-display_rotation", "-90", "-display_hflip", size=(64, 96), rotation=90),
    # Pixels that are not square.
    encoded("sar.mp4", "-vf", "setsar=4/3", "-c:v", "libx264", size=(128, 64)),
    encoded("sar.mkv", "-vf", "setsar=12/11", "-c:v", "mpeg4", size=(105, 64)),
    encoded(
        "dvd.mpg", "-vf", "setdar=16/9", "-c:v", "mpeg2video", "-r", "25", size=(114, 64), frames=25
    ),
    # Depths and colours.
    encoded("h264-10.mp4", "-pix_fmt", "yuv420p10le", "-c:v", "libx264"),
    encoded(
        "hevc-10.mkv",
        "-pix_fmt",
        "yuv420p10le",
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=error",
    ),
    encoded("vp9-10.webm", "-pix_fmt", "yuv420p10le", "-c:v", "libvpx-vp9"),
    encoded("prores.mov", "-pix_fmt", "yuv422p10le", "-c:v", "prores_ks"),
    encoded("ffv1-16.mkv", "-pix_fmt", "gray16le", "-c:v", "ffv1"),
    encoded("grey.mp4", "-pix_fmt", "gray", "-c:v", "libx264"),
    encoded("grey.avi", "-pix_fmt", "gray", "-c:v", "mjpeg"),
    encoded("full.mp4", "-vf", "scale=out_range=pc,format=yuvj420p", "-c:v", "libx264"),
    encoded("444.mp4", "-pix_fmt", "yuv444p", "-c:v", "libx264"),
    encoded(
        "bt709.mp4",
        "-vf",
        "scale=out_color_matrix=bt709",
        "-colorspace",
        "bt709",
        "-c:v",
        "libx264",
    ),
    encoded("rgb.avi", "-pix_fmt", "bgr24", "-c:v", "rawvideo"),
    # Interlaced: both fields as they are woven into a frame.
    encoded(
        "interlaced.mpg",
        "-c:v",
        "mpeg2video",
        "-r",
        "25",
        "-flags",
        "+ildct+ilme",
        "-vf",
        "setfield=tff",
        frames=25,
    ),
    encoded("interlaced.ts", "-c:v", "libx264", "-x264-params", "tff=1"),
    encoded("interlaced.mkv", "-c:v", "libx264", "-x264-params", "bff=1"),
    # Times.
    encoded(
        "vfr.mp4",
        "-vf",
        "setpts='(N+N*N/4)/12/TB'",
        "-fps_mode",
        "passthrough",
        "-c:v",
        "libx264",
        "-bf",
        "2",
    ),
    encoded(
        "vfr.mkv", "-vf", "setpts='(N+N*N/4)/12/TB'", "-fps_mode", "passthrough", "-c:v", "libvpx"
    ),
    remuxed("late.mp4", "-itsoffset", "3", *COPY),
    remuxed("early.mkv", "-itsoffset", "-0.5", *COPY, "-avoid_negative_ts", "disabled"),
    # In MP4 an edit list hides what lies before the start.
    remuxed("early.mp4", "-itsoffset", "-0.5", *COPY, "-avoid_negative_ts", "disabled", frames=6),
    remuxed("early.ts", "-itsoffset", "-0.5", *COPY, "-avoid_negative_ts", "disabled"),
    remuxed("edited.mp4", "-ss", "0.3", *COPY, frames=8),
    remuxed("edited.mov", "-ss", "0.3", *COPY, "-t", "0.4", frames=7),
    remuxed("fragmented.mp4", *COPY, "-movflags", "+frag_keyframe+empty_moov"),
    remuxed("live.mkv", *COPY, "-f", "matroska", "-live", "1"),
    remuxed("annexb.h264", *COPY),
    encoded("raw.m4v", "-c:v", "mpeg4"),
    encoded("raw.m2v", "-c:v", "mpeg2video", "-r", "25", frames=25),
    encoded("raw.ivf", "-c:v", "libvpx"),
    encoded("raw.y4m", "-pix_fmt", "yuv420p"),
    # Pictures that move but are no film.
    encoded("a.gif"),
    encoded("a.apng", "-plays", "0"),
    encoded("a.webp", "-c:v", "libwebp_anim", "-lossless", "1", "-loop", "0"),
    encoded("mixed.webp", "-c:v", "libwebp_anim", "-q:v", "50"),
)


@pytest.mark.parametrize("made", CASES, ids=lambda made: made.name)
def test_frames_are_those_that_ffmpeg_decodes(made: Made, tmp_path: Path) -> None:
    path = make(made, tmp_path)
    info = check_video(path, BOUNDS)
    assert ((info.width, info.height), info.frames, info.rotation) == (
        made.size,
        made.frames,
        made.rotation,
    )
    clip = read_clip(path, ClipSpec(5, info.height, info.width), BOUNDS, info=info)
    same_frames(path, info, clip)
    assert_decoder_agrees(path, info, clip)


@pytest.mark.parametrize(
    ("how", "upright"),
    [
        (("-display_rotation", "-90"), lambda f: np.rot90(f, -1, axes=(1, 2))),
        (("-display_rotation", "90"), lambda f: np.rot90(f, 1, axes=(1, 2))),
        (("-display_rotation", "180"), lambda f: f[:, ::-1, ::-1]),
        (("-display_hflip",), lambda f: f[:, :, ::-1]),
        (("-display_vflip",), lambda f: f[:, ::-1]),
    ],
    ids=["90", "270", "180", "mirrored", "upside down"],
)
def test_a_turned_picture_is_shown_upright(
    how: tuple[str, ...], upright: Callable[[np.ndarray], np.ndarray], tmp_path: Path
) -> None:
    plain = make(Made("plain.mp4", (PLAIN,)), tmp_path)
    path = make(turned("a.mp4", *how, size=(0, 0), rotation=0), tmp_path)
    info = check_video(path, BOUNDS)
    seen = read_clip(path, ClipSpec(3, info.height, info.width), BOUNDS, info=info).frames
    expected = upright(read_clip(plain, ClipSpec(3, 64, 96), BOUNDS).frames.astype(int))
    assert np.abs(seen - expected).mean() < 3


def test_of_several_video_streams_the_first_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    small = ("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=6:duration=1")
    large = ("-f", "lavfi", "-i", "testsrc=size=320x240:rate=6:duration=2")
    sound = ("-f", "lavfi", "-i", "sine=duration=1")
    ffmpeg(
        *small, *large, *sound, "-map", "2", "-map", "0", "-map", "1", "-c:v", "libx264", str(path)
    )
    info = check_video(path, BOUNDS)
    assert (info.stream, info.width, info.frames) == (1, 96, 6)
    same_frames(path, info, read_clip(path, ClipSpec(4, 64, 96), BOUNDS, info=info))


def test_cover_art_is_no_video(tmp_path: Path) -> None:
    cover, path = tmp_path / "cover.png", tmp_path / "a.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:size=300x300", "-frames:v", "1", str(cover))
    video = make(Made("plain.mp4", (PLAIN,)), tmp_path)
    first = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", str(cover), "-i", str(video), *first, str(path))
    info = check_video(path, BOUNDS)
    assert (info.codec, info.width, info.frames) == ("h264", 96, 12)
    same_frames(path, info, read_clip(path, ClipSpec(4, 64, 96), BOUNDS, info=info))
    song = tmp_path / "song.m4a"
    ffmpeg(
        *("-i", str(cover), "-f", "lavfi", "-i", "sine=duration=1", "-map", "0", "-map", "1"),
        *("-c:v", "copy", "-disposition:v:0", "attached_pic", str(song)),
    )
    with pytest.raises(VideoError) as error:
        check_video(song, BOUNDS)
    assert error.value.code == "no_video"


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"), ("a.mkv", "libx265"), ("a.avi", "mpeg4"), ("a.webm", "libvpx-vp9"),
        ("a.gif", "gif"), ("a.mov", "mjpeg"), ("a.mpg", "mpeg2video"),
    ],
)  # fmt: skip
def test_one_frame_is_a_video_too(name: str, codec: str, tmp_path: Path) -> None:
    path = tmp_path / name
    ffmpeg(*source(25), "-frames:v", "1", "-c:v", codec, str(path))
    info = check_video(path, BOUNDS)
    assert info.frames == 1
    clip = read_clip(path, ClipSpec(4, 64, 96), BOUNDS, info=info)
    same_frames(path, info, clip)
    assert len(set(clip.timestamps)) == 1
    assert (clip.frames == clip.frames[0]).all()


def make(made: Made, folder: Path) -> Path:
    for step in made.steps:
        ffmpeg(*(str(folder / each[1:-1]) if each[0] == "{" else each for each in step))
    return folder / made.name
