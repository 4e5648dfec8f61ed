"""Films and strips show what they should."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reelflow.explain.drawing import film, outlined, overlay, strip
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds

FRAMES = np.full((6, 21, 33, 3), 128, np.uint8)
VALUES = np.zeros((6, 21, 33), np.float32)
VALUES[:, :5, :5], VALUES[:, -5:, -5:] = 1, -1


def test_what_speaks_for_the_answer_is_orange_what_speaks_against_it_blue() -> None:
    shown = overlay(FRAMES, VALUES)[0].astype(int)
    assert shown[0, 0, 0] > shown[0, 0, 2] + 100
    assert shown[-1, -1, 2] > shown[-1, -1, 0] + 100
    assert (shown[10, 15] == 128).all()


def test_a_map_of_noughts_colours_nothing() -> None:
    np.testing.assert_array_equal(overlay(FRAMES, 0 * VALUES), FRAMES)


def test_the_strip_has_a_row_a_map_and_no_more_frames_than_asked_for() -> None:
    times = [at / 10 for at in range(6)]
    bare, mapped = (strip(FRAMES, rows, times, count=4) for rows in ({}, {"Occlusion": VALUES}))
    assert bare.width == mapped.width
    assert mapped.height > 1.7 * bare.height


def test_the_film_is_a_video_as_long_as_what_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "explained.mp4"
    runs = [(slice(0, 3), 1.0), (slice(3, 6), -0.5)]
    film(path, FRAMES, VALUES, np.arange(6) / 10, "fight 98%", runs)
    found = check_video(path, Bounds())
    assert (found.frames, found.fps, found.codec) == (6, pytest.approx(10), "h264")
    assert found.width % 2 == found.height % 2 == 0


def test_one_frame_makes_a_film(tmp_path: Path) -> None:
    path = tmp_path / "explained.mp4"
    film(path, FRAMES[:1], VALUES[:1], np.zeros(1), "a", [(slice(0, 1), 0.0)])
    assert check_video(path, Bounds()).frames == 1


def test_the_window_of_a_view_is_outlined() -> None:
    frames = np.zeros((2, 20, 30, 3), np.uint8)
    shown = outlined(frames, [(5, 5, 15, 15), (0, 0, 30, 20)])
    assert shown[0, 5, 5:15].min() == 255 and shown[0, 5:15, 14].min() == 255
    assert not shown[0, 6:14, 6:14].any() and shown.sum() == 2 * 3 * 255 * 36
