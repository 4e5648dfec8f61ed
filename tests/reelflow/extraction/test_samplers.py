"""Samplers: what each promises, for any times that a video may have."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from reelflow.base.errors import VideoError
from reelflow.extraction import read_clips, samplers
from reelflow.extraction.read_clips import read_clip
from reelflow.extraction.samplers import Indices, dense, fps, uniform
from reelflow.params.extract import Sampler
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.frame_times import span
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo, ffmpeg

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)


def spec(frames: int = 8, **options: object) -> ClipSpec:
    return ClipSpec(frames, 24, 32, **options)  # type: ignore[arg-type]


def times_of_all_kinds() -> list[Indices]:
    random = np.random.default_rng(0)
    steady = [np.arange(n) * step for n in (1, 2, 7, 16, 300) for step in (1, 512)]
    uneven = [np.sort(random.integers(0, 10_000, n)) for n in (3, 40, 500)]
    return [*steady, *uneven, steady[-1] - 5000, np.zeros(5, np.int64)]


@pytest.mark.parametrize("name", get_args(Sampler))
@pytest.mark.parametrize("pts", times_of_all_kinds(), ids=lambda pts: f"{len(pts)}frames")
def test_every_sampler_gives_as_many_frames_as_asked_in_the_order_shown(
    name: str, pts: Indices
) -> None:
    for frames in (1, 4, 12):
        asked = spec(frames, sampler=name, rate=5.0, stride=3, places=2 if frames > 1 else 1)
        chosen = getattr(samplers, name)(pts, 1 / 600, asked)
        assert chosen.shape == (frames * asked.choices,)
        assert chosen.dtype == np.int64
        assert chosen.min() >= 0
        assert chosen.max() < len(pts)
        assert (np.diff(chosen) >= 0).all()


def test_uniform_follows_time_not_the_count_of_frames() -> None:
    # Ten frames in the first second, two in the next nine: half of the time is in the last two.
    pts = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 50, 100])
    assert uniform(pts, 1.0, spec(4)).tolist() == [9, 9, 10, 10]
    assert uniform(np.array([7]), 1.0, spec(3)).tolist() == [0, 0, 0]
    assert uniform(np.arange(16), 1.0, spec(16)).tolist() == list(range(16))


@pytest.mark.parametrize("frames", [1, 3, 8])
def test_uniform_takes_one_frame_from_each_segment(frames: int) -> None:
    pts = np.arange(240)
    chosen = uniform(pts, 1 / 24, spec(frames))
    assert (chosen * frames // 240).tolist() == list(range(frames))


def test_fps_gives_the_same_steps_of_time_whatever_the_rate_of_the_video() -> None:
    for rate in (10, 25, 60):
        pts = np.arange(20 * rate)
        seconds = fps(pts, 1 / rate, spec(9, sampler="fps", rate=4.0)) / rate
        assert np.diff(seconds) == pytest.approx(0.25, abs=1 / rate + 1e-9)
        assert seconds.mean() == pytest.approx(10, abs=1 / rate)


def test_fps_takes_no_more_than_its_frames_and_holds_the_ends_of_a_short_video() -> None:
    chosen = fps(
        np.arange(25), 1 / 25, spec(8, sampler="fps", rate=4.0)
    )  # two seconds asked of one
    assert chosen.tolist() == [0, 0, 3, 9, 15, 21, 24, 24]


def test_dense_leaves_nothing_out_within_a_run() -> None:
    chosen = dense(np.arange(300), 1 / 30, spec(12, sampler="dense", places=3)).reshape(3, 4)
    assert (np.diff(chosen, axis=1) == 1).all()
    assert chosen[:, 1].tolist() == [50, 150, 250]
    strided = dense(np.arange(300), 1 / 30, spec(6, sampler="dense", stride=5))
    assert (np.diff(strided) == 5).all()


def test_dense_runs_follow_time_and_repeat_the_ends_of_a_short_video() -> None:
    # All but the last frame within the first tenth: the middle of the time is the frame before it.
    pts = np.array([*range(10), 100])
    assert dense(pts, 1.0, spec(3)).tolist() == [8, 9, 10]
    assert dense(np.arange(3), 1.0, spec(6)).tolist() == [0, 0, 1, 2, 2, 2]


NEW_SAMPLER = """

def ends(pts: Times, unit: float, spec: ClipSpec) -> Indices:
    return np.linspace(0, len(pts) - 1, spec.frames).astype(np.int64)
"""
READ = """
from pathlib import Path
from reelflow.extraction.read_clips import read_clip
from reelflow.params import load_section
from reelflow.params.extract import ExtractParams
from reelflow.store.clip_spec import ClipSpec
params = load_section(Path("params.yaml"), ExtractParams)
clip = read_clip(Path("a.mp4"), ClipSpec(params.frames, 24, 32, sampler=params.sampler))
print(*clip.timestamps.round(3))
"""


def test_a_new_sampler_is_a_function_and_a_line(tmp_path: Path, make_video: MakeVideo) -> None:
    make_video(tmp_path / "a.mp4", seconds=2, rate=10)
    package = tmp_path / "reelflow"
    shutil.copytree(Path(__file__).parents[3] / "reelflow", package)
    with (package / "extraction/samplers.py").open("a") as module:
        module.write(NEW_SAMPLER)
    params = package / "params/extract.py"
    params.write_text(params.read_text().replace('"uniform", ', '"uniform", "ends", '))
    (tmp_path / "params.yaml").write_text("extract: {frames: 3, sampler: ends}\n")
    command = [sys.executable, "-c", READ]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["0.0", "0.9", "1.9"]


def test_the_last_frame_lasts_as_long_as_the_mean() -> None:
    assert span(np.array([0, 10, 20])) == 30
    assert span(np.array([5])) == 0


def test_key_frames_are_those_that_the_encoder_made(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=4, rate=25)
    long = tmp_path / "long.mp4"
    ffmpeg("-i", path, "-c:v", "libx264", "-g", "20", "-sc_threshold", "0", "-bf", "2", long)
    info = check_video(long, BOUNDS)
    clip = read_clip(long, spec(5, sampler="keyframes"), BOUNDS, info=info)
    assert (clip.timestamps - info.start).round(6).tolist() == [0.0, 0.8, 1.6, 2.4, 3.2]
    # The same pictures as when everything is decoded.
    whole = read_clip(long, spec(100), BOUNDS, info=info)
    np.testing.assert_array_equal(clip.frames, whole.frames[[0, 20, 40, 60, 80]])


def test_key_frames_are_found_where_the_container_flags_none(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=4, rate=25)
    flagged = tmp_path / "flagged.flv"
    ffmpeg("-i", path, "-c:v", "flv", "-g", "20", "-sc_threshold", "1000000000", flagged)
    unflagged = tmp_path / "unflagged.flv"
    unflagged.write_bytes(without_flags(flagged.read_bytes()))
    clips = []
    for file in (flagged, unflagged):
        info = check_video(file, BOUNDS)
        clips.append(read_clip(file, spec(5, sampler="keyframes"), BOUNDS, info=info))
        assert (clips[-1].timestamps - info.start).round(3).tolist() == [0.0, 0.8, 1.6, 2.4, 3.2]
    np.testing.assert_array_equal(clips[0].frames, clips[1].frames)


def test_no_frame_that_is_not_whole_stands_in_for_a_key_frame(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=1, rate=25)
    damaged = replace(check_video(path, BOUNDS), intact=3)
    monkeypatch.setattr(read_clips, "key_frames", lambda *_: (np.array([5, 10]), True))
    with pytest.raises(VideoError) as error:
        read_clip(path, spec(5, sampler="keyframes"), BOUNDS, info=damaged)
    assert error.value.code == "no_key_frames"


def without_flags(flv: bytes) -> bytes:
    """FLV in which every picture is said to need others (Adobe FLV 10.1, E.4.3.1)."""
    changed, at = bytearray(flv), 13
    while at < len(flv):
        if flv[at] == 9:
            changed[at + 11] = 0x20 | flv[at + 11] & 0x0F
        at += 11 + int.from_bytes(flv[at + 1 : at + 4], "big") + 4
    return bytes(changed)


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({"sampler": "fps", "rate": 5.0}, [1.3, 1.5, 1.7, 1.9, 2.1, 2.3, 2.5, 2.7]),
        ({"sampler": "dense"}, [1.88, 1.92, 1.96, 2.0, 2.04, 2.08, 2.12, 2.16]),
    ],
)
def test_a_clip_has_the_times_of_its_sampler(
    tmp_path: Path, make_video: MakeVideo, options: dict[str, object], seconds: list[float]
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=4, rate=25)
    info = check_video(path, BOUNDS)
    clip = read_clip(path, spec(8, **options), BOUNDS, info=info)
    assert clip.timestamps - info.start == pytest.approx(seconds, abs=0.041)
    whole = read_clip(path, spec(100), BOUNDS, info=info)
    places = np.searchsorted(whole.timestamps, clip.timestamps)
    np.testing.assert_array_equal(clip.frames, whole.frames[places])
