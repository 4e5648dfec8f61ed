"""Packets that are not decoded: the frames are the same to the bit, whatever the encoder did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from reelflow.extraction import ffmpeg_decoder as decoding
from reelflow.extraction import skip_packets
from reelflow.extraction.ffmpeg_decoder import decode
from reelflow.extraction.region import WHOLE
from reelflow.extraction.skip_packets import Packets, needed, spared
from reelflow.extraction.wanted_frames import Wanted
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import VideoInfo, check_video
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo, ffmpeg

BOUNDS = Bounds(timeout_s=60, memory_mb=1024)
FRAMES = 120
# name: how it is encoded, whether packets may be left out: not if times, sets of parameters or an
# edit list are odd
ENCODED: dict[str, tuple[tuple[str, ...], bool]] = {
    "plain.mp4": (("-g", "12", "-bf", "0"), True),
    "pyramid.mp4": (("-g", "30", "-bf", "5", "-b_strategy", "0", "-refs", "5"), True),
    "one-gop.mkv": (("-g", "600", "-bf", "3"), True),
    "stream.ts": (("-g", "25", "-bf", "2"), True),
    "raw-parameters.mov": (("-g", "20", "-bsf:v", "dump_extra", "-tag:v", "avc3"), True),
    "open.mp4": (("-g", "20", "-bf", "3", "-x264-params", "open-gop=1"), True),
    "interlaced.mp4": (("-g", "24", "-bf", "3", "-x264-params", "tff=1"), True),
    "refresh.mp4": (("-g", "24", "-x264-params", "intra-refresh=1"), True),
    "intra.mp4": (("-g", "1"), True),
    "flash.flv": (("-g", "24", "-bf", "2"), True),
    "cut.mp4": (("-g", "30", "-bf", "3"), False),
    "no-times.avi": (("-g", "30", "-bf", "3"), False),
    "changing.ts": (("-g", "20", "-bf", "2"), False),
    "hevc-closed.mp4": (("-g", "20", "-bf", "3"), True),
    "hevc-open.mkv": (("-g", "20", "-bf", "3"), True),
}


@pytest.fixture(scope="module", params=ENCODED)
def video(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo
) -> tuple[Path, VideoInfo, bool]:
    name = str(request.param)
    folder = tmp_path_factory.mktemp("video")
    options, expected = ENCODED[name]
    codec = "libx264"
    if name.startswith("hevc"):
        codec = "libx265"
        closed = "open-gop=0:" if "closed" in name else ""
        options = (*options, "-x265-params", f"{closed}log-level=error")
    made = {"seconds": FRAMES / 25, "rate": 25, "codec": codec, "options": options, "size": "96x64"}
    path = make_video(folder / name, **made)
    if name == "cut.mp4":
        # An edit list: what lies before the cut is decoded and not shown.
        path = folder / "after.mp4"
        ffmpeg("-ss", "0.7", "-i", str(folder / name), "-c", "copy", str(path))
    elif name == "changing.ts":
        other = (*options, "-refs", "6", "-x264-params", "cabac=0:8x8dct=0")
        second = make_video(folder / "second.ts", **{**made, "options": other, "seed": 3})
        ffmpeg("-i", f"concat:{path}|{second}", "-c", "copy", str(folder / "both.ts"))
        path = folder / "both.ts"
    return path, check_video(path, BOUNDS), expected


def asked(path: Path, info: VideoInfo, indices: NDArray[np.int64]) -> Wanted:
    spec = ClipSpec(len(indices), 48, 72)
    return Wanted(path, info, spec, WHOLE, np.array(info.pts), indices)


def choices(frames: int) -> list[NDArray[np.int64]]:
    random = np.random.default_rng(0)
    some = [np.sort(random.choice(frames, count, replace=False)) for count in (1, 3, 8, 20)]
    return [*some, np.array([0]), np.array([frames - 1]), np.array([0, 1, frames - 2, frames - 1])]


def test_frames_are_the_same_with_fewer_packets(
    video: tuple[Path, VideoInfo, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, info, expected = video
    monkeypatch.setattr(skip_packets, "_WORTHWHILE", 0)
    decoded: list[Any] = []
    plain = decoding._decode
    monkeypatch.setattr(decoding, "_decode", lambda *a: decoded.append(a) or plain(*a))
    left_out = 0
    for indices in choices(info.frames):
        wanted = asked(path, info, indices)
        decoded.clear()
        found = decode(wanted, BOUNDS)
        # What came out was as foretold: nothing was decoded twice.
        assert len(decoded) == 1
        left_out += bool(decoded[0][0].dropped)
        np.testing.assert_array_equal(found, plain(wanted, BOUNDS, 1))
    assert (left_out > 0) == expected


def test_it_does_not_matter_how_many_threads_decode(
    video: tuple[Path, VideoInfo, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, info, _ = video
    monkeypatch.setattr(skip_packets, "_WORTHWHILE", 0)
    wanted = asked(path, info, choices(info.frames)[2])
    alone = decoding._decode(wanted, BOUNDS, 1)
    for threads in (2, 4):
        np.testing.assert_array_equal(
            decoding._decode(spared(wanted, BOUNDS), BOUNDS, threads), alone
        )


def table() -> Packets:
    """Two groups, each I P B b b P: in the order decoded, b being referred to by nobody."""
    shown = [0, 3, 2, 1, 5, 4]
    pts = np.array([*shown, *(6 + at for at in shown)])
    referred = np.array([True, True, True, False, True, False] * 2)
    return Packets(pts, np.arange(12) - 2, referred, np.array([0, 6]))


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ([0], [0]),
        ([3], [0, 1]),
        ([1], [0, 1, 2, 3]),
        ([4], [0, 1, 2, 4, 5]),
        ([6], [6]),
        ([2, 9], [0, 1, 2, 6, 7]),
        ([], []),
    ],
)
def test_only_what_a_wanted_picture_hangs_on_is_kept(wanted: list[int], kept: list[int]) -> None:
    assert np.flatnonzero(needed(table(), np.array(wanted, np.int64))).tolist() == kept


def test_where_a_listing_is_wrong_everything_is_decoded_once_more(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=4, rate=25, options=("-g", "25", "-bf", "2"))
    info = check_video(path, BOUNDS)
    wanted = asked(path, info, np.array([10, 60]))
    truth = decode(wanted, BOUNDS)
    monkeypatch.setattr(skip_packets, "_WORTHWHILE", 0)

    def wrong(found: Packets, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        # As if nothing hung on anything.
        return np.isin(found.pts, times)

    monkeypatch.setattr(skip_packets, "needed", wrong)
    assert spared(wanted, BOUNDS).dropped
    np.testing.assert_array_equal(decode(wanted, BOUNDS), truth)


def test_where_the_list_of_runs_is_too_long_for_an_argument_everything_is_decoded(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=4, rate=25, options=("-g", "50", "-bf", "3"))
    wanted = asked(path, check_video(path, BOUNDS), np.array([30, 80]))
    monkeypatch.setattr(skip_packets, "_WORTHWHILE", 0)
    assert spared(wanted, BOUNDS).dropped
    monkeypatch.setattr(skip_packets, "LONGEST", 10)
    assert spared(wanted, BOUNDS) is wanted


def test_short_videos_are_not_listed(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.mp4", options=("-g", "2"))
    wanted = asked(path, check_video(path, BOUNDS), np.array([5]))
    assert spared(wanted, BOUNDS) is wanted
