"""The part of the picture that a clip shows: boxes are cut where they stand, motion is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reelflow.base.errors import VideoError
from reelflow.extraction.motion import motion_energy, window
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo, ffmpeg

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)
ROWS, COLUMNS = 72, 128


def scene(pan: int, frames: int = 10, side: int = 14, noise: float = 4.0) -> NDArray[np.uint8]:
    """A square that goes down at column 90 before a textured picture that pans `pan` a frame."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 200, (ROWS // 4, 3 * COLUMNS // 4))
    wide = coarse.repeat(4, axis=0).repeat(4, axis=1).astype(float)
    shown = []
    for at in range(frames):
        left = COLUMNS + pan * at
        picture = wide[:, left : left + COLUMNS].copy()
        picture[10 + 3 * at : 10 + 3 * at + side, 90 : 90 + side] = 255
        shown.append(picture + random.normal(0, noise, picture.shape))
    grey = np.clip(shown, 0, 255).astype(np.uint8)
    return grey[..., None].repeat(3, axis=-1)


@pytest.mark.parametrize("pan", [0, 2, -5])
def test_what_moves_is_found_though_the_camera_moves_too(pan: int) -> None:
    energy = motion_energy(scene(pan), np.arange(10))
    left, top = window(energy, 0.5, 0.3)
    # The square's way: columns 90 to 104, rows 10 to 51.
    assert left * COLUMNS <= 90
    assert (left + 0.3) * COLUMNS >= 104
    assert top * ROWS == pytest.approx((10 + 51) / 2 - 0.25 * ROWS, abs=8)


def test_a_pan_alone_is_no_motion() -> None:
    moving = motion_energy(scene(4), np.arange(10)).sum()
    alone = scene(4, side=0)
    assert motion_energy(alone, np.arange(10)).sum() < 0.2 * moving
    plain_difference = np.abs(np.diff(alone[..., 0].astype(float), axis=0)).sum()
    assert plain_difference > 10 * moving


def test_only_neighbours_are_compared() -> None:
    frames = scene(0)
    assert motion_energy(frames, np.arange(10) * 2).sum() == 0
    split = np.array([0, 1, 2, 3, 4, 50, 51, 52, 53, 54])
    jump = frames.copy()
    jump[5:] = 255 - jump[5:]  # a cut between the runs, which is not looked at
    found = motion_energy(jump, split)
    assert 0 < found.sum() < 1.2 * motion_energy(frames, np.arange(10)).sum()


@pytest.mark.parametrize(("height", "width"), [(0.5, 0.25), (1.0, 1.0), (0.3, 1.0)])
def test_a_still_video_is_shown_in_its_middle(height: float, width: float) -> None:
    still = scene(0, frames=1).repeat(4, axis=0)
    left, top = window(motion_energy(still, np.arange(4)), height, width)
    assert left == pytest.approx((1 - width) / 2, abs=0.01)
    assert top == pytest.approx((1 - height) / 2, abs=0.01)


def test_a_window_stays_inside_the_picture() -> None:
    energy = np.zeros((30, 40), np.float32)
    energy[29, 39] = 1.0
    left, top = window(energy, 0.5, 0.5)
    assert (left, top) == (0.5, 0.5)


def test_a_box_is_cut_out_as_ffmpeg_cuts(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.mp4", size="160x120")
    spec = ClipSpec(2, 40, 40, region="box", box=(0.25, 0.5, 0.5, 0.5))
    clip = read_clip(path, spec, BOUNDS)
    plain = ffmpeg(
        "-i", str(path), "-vf",
        "select=eq(n\\,2)+eq(n\\,7),crop=80:60:40:60,"
        "scale=53:40:flags=area+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact,"
        "format=rgb24,crop=40:40:exact=1",
        "-fps_mode", "passthrough", "-f", "rawvideo", "-",
    )  # fmt: skip
    expected = np.frombuffer(plain, np.uint8).reshape(2, 40, 40, 3)
    np.testing.assert_array_equal(clip.frames, expected)


def test_a_box_is_of_the_picture_as_shown(tmp_path: Path, make_video: MakeVideo) -> None:
    plain = make_video(tmp_path / "a.mp4", size="64x48")
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "-90", "-i", str(plain), "-c", "copy", str(turned))
    spec = ClipSpec(1, 24, 24, region="box", box=(0.0, 0.0, 0.5, 0.375))
    whole = read_clip(turned, ClipSpec(1, 64, 48), BOUNDS).frames
    corner = read_clip(turned, spec, BOUNDS).frames
    assert np.abs(corner.astype(int) - whole[:, :24, :24]).mean() < 3


def test_motion_is_cut_at_the_sources_own_resolution(tmp_path: Path) -> None:
    path = tmp_path / "small-thing.mp4"
    picture = (
        "color=gray:size=640x480:rate=10:duration=2,noise=alls=12:allf=t[far];"
        "testsrc2=size=60x60:rate=10:duration=2[near];"
        "[far][near]overlay=x=480+20*t:y=60+30*t:shortest=1"
    )
    ffmpeg("-filter_complex", picture, "-c:v", "libx264", "-crf", "18", str(path))
    info = check_video(path, BOUNDS)
    spec = ClipSpec(4, 64, 64, region="motion", window=0.4)
    clip = read_clip(path, spec, BOUNDS, info=info)
    # The thing is 60 of 192 pixels across: 20 of 64. In the whole picture it would be 8.
    colourful = np.ptp(clip.frames.astype(int), axis=-1) > 60
    assert colourful.mean(axis=(1, 2)).min() > 0.04
    whole = read_clip(path, ClipSpec(4, 64, 64), BOUNDS, info=info)
    assert (np.ptp(whole.frames.astype(int), axis=-1) > 60).mean() < 0.025
    again = read_clip(path, spec, BOUNDS, info=info)
    np.testing.assert_array_equal(clip.frames, again.frames)


def test_motion_of_one_frame_is_its_middle(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=0.1, size="96x48")
    spec = ClipSpec(1, 24, 24, region="motion", window=1.0)
    middle = ClipSpec(1, 24, 24, region="box", box=(0.25, 0.0, 0.5, 1.0))
    found, expected = (read_clip(path, each, BOUNDS).frames for each in (spec, middle))
    np.testing.assert_array_equal(found, expected)


def test_a_file_that_changed_is_noticed_while_motion_is_looked_for(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=1)
    info = check_video(path, BOUNDS)
    make_video(path, seconds=0.5)
    with pytest.raises(VideoError) as error:
        read_clip(path, ClipSpec(4, 24, 32, region="motion"), BOUNDS, info=info)
    assert error.value.code == "changed"
