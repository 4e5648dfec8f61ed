"""What ffmpeg, called plainly, decodes: the truth that clips are compared with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reelflow.extraction.pyav_decoder import decoder, takes
from reelflow.extraction.region import WHOLE
from reelflow.extraction.wanted_frames import Wanted
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.video.check_by_decoding import VideoInfo
from reelflow.video.process_limits import Bounds
from tests.conftest import ffmpeg

# The stated rule for what is transparent; tests/reelflow/extraction/test_colours.py computes it by
# hand.
OVER_BLACK = "alphablend=uniform_color"
FLAGS = "area+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"

# Of each video the times of its frames, in seconds, and the frames, in the order shown.
Truth = dict[Path, tuple[NDArray[np.float64], NDArray[np.uint8]]]


def same_frames(path: Path, info: VideoInfo, clip: Clip, then: str = "") -> None:
    """Assert that a clip of the video's own size is what ffmpeg decodes at its times, put through
    more filters if any are given."""
    truth = hashes_by_time(path, info, then)
    unit = float(Fraction(info.time_base))
    assert sorted(truth) == pytest.approx(sorted({pts * unit for pts in info.pts}), abs=1e-6)
    for frame, seconds in zip(clip.frames, clip.timestamps, strict=True):
        nearest = min(truth, key=lambda time, at=seconds: abs(time - at))  # type: ignore[misc]
        assert abs(nearest - seconds) < 1e-6
        assert hashlib.md5(frame.tobytes()).hexdigest() in truth[nearest]


def assert_decoder_agrees(path: Path, info: VideoInfo, clip: Clip) -> None:
    """Assert that the process that stays gives the frames of a clip too, if it takes them on."""
    unit, times = float(Fraction(info.time_base)), np.asarray(info.pts, np.int64)
    indices = [int(np.abs(times * unit - seconds).argmin()) for seconds in clip.timestamps]
    taken, places = np.unique(indices, return_inverse=True)
    spec = ClipSpec(len(indices), info.height, info.width)
    wanted = Wanted(path, info, spec, WHOLE, times, taken)
    frames = decoder().decode(wanted, Bounds()) if takes(wanted) else None
    if frames is not None:
        np.testing.assert_array_equal(frames[places], clip.frames)


def hashes_by_time(path: Path, info: VideoInfo, then: str = "") -> dict[float, set[str]]:
    """MD5 of every frame in RGB at its shown size, by its time in seconds, from `framemd5`."""
    scaled = f"scale={info.width}:{info.height}:flags={FLAGS}:{OVER_BLACK}{then}"
    scaled += ",format=rgb24"
    listing = ffmpeg(
        *("-copyts", "-i", f"file:{path}", "-map", f"0:{info.stream}", "-an", "-vf", scaled),
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


def truth_of(paths: list[Path], folder: Path, height: int, width: int) -> Truth:
    """What ffmpeg itself decodes, called plainly; its files lie in `folder` meanwhile."""
    found: Truth = {}
    for start in range(0, len(paths), 20):
        some = paths[start : start + 20]
        outputs: list[str] = []
        inputs = [word for path in some for word in ("-i", str(path))]
        for at in range(len(some)):
            scaled = f"scale={width}:{height}:flags={FLAGS},format=rgb24"
            outputs += ["-map", f"{at}:v", "-vf", scaled, "-fps_mode", "passthrough"]
            outputs += ["-enc_time_base", "demux", "-f", "rawvideo"]
            outputs += ["-stats_enc_pre", str(folder / f"{at}.txt")]
            outputs += ["-stats_enc_pre_fmt", "{pts} {tb}", str(folder / f"{at}.rgb")]
        ffmpeg("-copyts", *inputs, *outputs)
        for at, path in enumerate(some):
            lines = [line.split() for line in (folder / f"{at}.txt").read_text().splitlines()]
            times = np.array([float(int(pts) * Fraction(base)) for pts, base in lines])
            frames = np.fromfile(folder / f"{at}.rgb", np.uint8)
            found[path] = times, frames.reshape(len(times), height, width, 3)
    return found


def wrong(truth: Truth, path: Path, clip: object) -> Iterator[str]:
    """What of a clip is not as ffmpeg has it."""
    if not isinstance(clip, Clip):
        yield f"{path.name}: {clip}"
        return
    times, frames = truth[path]
    for frame, seconds in zip(clip.frames, clip.timestamps, strict=True):
        at = int(np.abs(times - seconds).argmin())
        if abs(times[at] - seconds) > 1e-6 or not np.array_equal(frames[at], frame):
            yield f"{path.name}: the frame at {seconds:.3f} s"
