"""Near-duplicates: made by ffmpeg from clips that share a scene and differ in what moves in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reelflow.dataset import near_duplicates
from reelflow.dataset.check_cache import CheckCache
from reelflow.dataset.fingerprints import (
    SIDE,
    Keys,
    Pictures,
    fingerprint,
    keys,
    likeness,
    mirrored,
)
from reelflow.dataset.near_duplicates import Pair, find, sets
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from reelflow.video.thumbnails import MOST, RATE, Thumbnails
from tests.conftest import MakeVideo, ffmpeg
from tests.scenes import scene

LEAST = 0.83


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("originals")
    return [scene(folder / f"{seed}.mp4", seed) for seed in range(5)]


def taken(path: Path) -> Pictures:
    thumbnails = Thumbnails()
    check_video(path, Bounds(), thumbnails=thumbnails)
    return fingerprint(thumbnails.pictures)


def found(prints: dict[str, Pictures], least: float = LEAST) -> list[Pair]:
    return find({name: keys(print_) for name, print_ in prints.items()}, prints.__getitem__, least)


def test_clips_of_one_scene_are_told_apart_by_what_moves(originals: list[Path]) -> None:
    prints = {path.name: taken(path) for path in originals}
    assert all(len(print_) == 4 * RATE for print_ in prints.values())
    assert found(prints) == []


COPIES: dict[str, tuple[str, ...]] = {
    "encoded again": ("-c:v", "mpeg4", "-q:v", "15"),
    "rescaled": ("-vf", "scale=96:54", "-c:v", "libx264", "-crf", "30"),
    "at another rate": ("-vf", "fps=12", "-c:v", "libx264"),
    "letter-boxed": ("-vf", "pad=160:200:0:40", "-c:v", "libx264"),
    "pillar-boxed": ("-vf", "pad=220:120:30:0", "-c:v", "libx264"),
    "mirrored": ("-vf", "hflip", "-c:v", "libx264"),
    "cut at its start": ("-ss", "1.3", "-c:v", "libx264"),
    "cut at its end": ("-t", "2.2", "-c:v", "libx264"),
    "brighter": ("-vf", "eq=brightness=0.1", "-c:v", "libx264"),
    "mirrored, small and cut": ("-ss", "0.77", "-vf", "hflip,scale=80:60", "-c:v", "libx264"),
}


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_is_found_whatever_was_done_to_it(
    originals: list[Path], tmp_path: Path, way: str
) -> None:
    copy = tmp_path / "copy.mkv"
    ffmpeg("-i", str(originals[2]), *COPIES[way], f"file:{copy}")
    prints = {path.name: taken(path) for path in [*originals, copy]}
    (pair,) = found(prints)
    assert (pair.one, pair.other) == ("2.mp4", "copy.mkv")
    assert pair.likeness > LEAST
    assert pair.mirrored is ("mirrored" in way)
    begins = {"cut at its start": 1.3, "mirrored, small and cut": 0.77}.get(way, 0.0)
    assert pair.shift == pytest.approx(begins, abs=1.01 / RATE)


def test_a_clip_cut_out_of_a_long_video_is_found_in_it(tmp_path: Path) -> None:
    parts = [scene(tmp_path / f"{seed}.mkv", seed, ("-c:v", "ffv1")) for seed in range(8)]
    listed = "".join(f"file '{path}'\n" for path in parts)
    (tmp_path / "list.txt").write_text(listed, encoding="utf-8")
    long = tmp_path / "long.mp4"
    ffmpeg("-f", "concat", "-safe", "0", "-i", str(tmp_path / "list.txt"), f"file:{long}")
    (pair,) = found({"long": taken(long), "part": taken(parts[5])})
    assert pair.shift == pytest.approx(20.0, abs=1 / RATE)


def test_clips_in_which_nothing_moves_are_alike_only_if_they_show_the_same(
    make_video: MakeVideo, tmp_path: Path
) -> None:
    still = ("-vf", "loop=loop=30:size=1:start=0", "-t", "2")
    one = make_video(tmp_path / "one.mp4", seed=1, options=still)
    again = tmp_path / "again.mkv"
    ffmpeg("-i", str(one), "-c:v", "mpeg4", f"file:{again}")
    other = tmp_path / "other.mp4"
    ffmpeg("-f", "lavfi", "-i", "mandelbrot=s=64x48,trim=end_frame=1", *still, f"file:{other}")
    pairs = found({"one": taken(one), "again": taken(again), "other": taken(other)})
    assert [(pair.one, pair.other) for pair in pairs] == [("again", "one")]


def test_the_keys_of_a_mirrored_clip_are_those_of_the_clip_mirrored(originals: list[Path]) -> None:
    print_ = taken(originals[0])
    expected = keys(print_[:, :, ::-1].copy()).moving
    differing = np.bitwise_count(mirrored(keys(print_).moving) ^ expected)
    # Frequencies that are next to nothing may round to either sign.
    assert differing.max() <= 2


def test_of_a_frame_alone_and_of_nothing_there_is_no_fingerprint_and_no_pair() -> None:
    nothing = fingerprint(np.empty((0, 64, 64), np.uint8))
    assert nothing.shape == (0, SIDE, SIDE)
    assert found({"a": nothing, "b": nothing}) == []
    assert found({}) == []


def test_rows_that_are_black_beside_lit_ones_are_no_bars_and_divide_nothing() -> None:
    striped = np.zeros((9, 64, 64), np.uint8)
    striped[:, ::2] = 200
    with np.errstate(all="raise"):
        assert fingerprint(striped).any()
        assert fingerprint(striped.swapaxes(1, 2)).any()


def test_black_clips_are_no_near_duplicates_of_others() -> None:
    black = np.zeros((16, SIDE, SIDE), np.uint8)
    grey = np.full((16, SIDE, SIDE), 99, np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, (16, SIDE, SIDE)).astype(np.uint8)
    assert found({"black": black, "grey": grey, "noise": noise}) == []


def test_likeness_is_one_for_the_same_and_small_for_what_is_not() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2, 9, SIDE, SIDE)).astype(np.uint8)
    assert likeness(noise[0], noise[0]) == pytest.approx(1.0)
    assert likeness(noise[0], noise[1]) < 0.1


def test_sets_are_closed_and_named_by_their_first_member() -> None:
    pairs = [Pair("b", "c", 0.9, 0.0, False), Pair("d", "e", 0.9, 0.0, False),
             Pair("a", "c", 0.9, 0.0, False)]  # fmt: skip
    assert sets(pairs) == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "d"}
    assert sets([]) == {}


def test_the_work_does_not_grow_with_the_square_of_the_videos(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Videos of one scene in which much the same moves: the worst there is."""
    compared = 0

    def counted(*_: object) -> float:
        nonlocal compared
        compared += 1
        return 0.0

    monkeypatch.setattr(near_duplicates, "likeness", counted)
    random = np.random.default_rng(0)
    base = random.integers(0, 2**63, 20).astype(np.uint64)
    for videos in (200, 800):
        places = random.integers(0, 63, (videos, 20)).astype(np.uint64)
        looked_up = {
            f"{i:04}": Keys(base ^ flip, np.arange(20), np.empty(0, np.uint64))
            for i, flip in enumerate(np.uint64(1) << places)
        }
        compared = 0
        pictures = np.zeros((24, SIDE, SIDE), np.uint8)
        find(looked_up, lambda _, same=pictures: same, LEAST)
        assert 0 < compared <= videos * near_duplicates.PARTNERS * near_duplicates.PLACES


def test_no_more_than_two_minutes_are_looked_at(make_video: MakeVideo, tmp_path: Path) -> None:
    long = make_video(tmp_path / "long.mp4", seconds=200, rate=2)
    # Several times: where the thumbnails ended before the rest, ffmpeg hung in one of five.
    for _ in range(12):
        thumbnails = Thumbnails()
        check_video(long, Bounds(timeout_s=60), thumbnails=thumbnails)
        assert len(thumbnails.pictures) == MOST


def test_what_a_file_is_found_to_be_does_not_depend_on_its_thumbnails(
    shared: Path, tmp_path: Path
) -> None:
    from reelflow.base.errors import VideoError

    def verdict(path: Path, thumbnails: Thumbnails | None) -> object:
        try:
            return check_video(path, Bounds(), thumbnails=thumbnails)
        except VideoError as error:
            return error.code, error.reason, vars(error).get("info")

    for path in sorted((shared / "zoo").iterdir()):
        assert verdict(path, Thumbnails()) == verdict(path, None), path.name


def test_a_fingerprint_comes_back_from_the_cache_as_it_was(
    originals: list[Path], tmp_path: Path
) -> None:
    print_ = taken(originals[0])
    with CheckCache(tmp_path / "checks.sqlite") as cache:
        cache.store_fingerprint("moving", print_)
        cache.store_fingerprint("still", print_[:2])
        cache.store_fingerprint("nothing", print_[:0])
        stored = {"moving": print_, "still": print_[:2], "nothing": print_[:0]}
        for digest, expected in stored.items():
            assert np.array_equal(cache.pictures_of(digest), expected)
