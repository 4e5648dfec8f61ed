"""Occlusion of a model whose answer is known by hand."""

from __future__ import annotations

import numpy as np

from reelflow.explain.explainable_model import log_odds
from reelflow.explain.occlusion import (
    blank,
    cells,
    gathered,
    moments,
    occlusion_map,
    only_cells,
    spread,
)
from tests.explained import PLACE, Toy, bright_place, look_at


def test_the_one_cell_that_the_answer_hangs_on_is_found_with_one_question_a_cell() -> None:
    toy, look = Toy(), look_at(bright_place())
    found = occlusion_map(toy, look, 1)
    assert found.shape == (4, 4, 4)
    assert np.unravel_index(found.argmax(), found.shape) == (2, 2, 1)
    assert np.sort(found.ravel())[-2] < found.max() / 4  # soft edges reach a little further
    assert toy.asked == 4 * 4 * 4 + 1


def test_what_speaks_for_one_class_speaks_against_the_other() -> None:
    look = look_at(bright_place())
    both = [occlusion_map(Toy(), look, target) for target in (0, 1)]
    np.testing.assert_allclose(both[0], -both[1], atol=1e-5)


def test_the_moment_is_found_and_all_frames_are_asked_about() -> None:
    runs, falls = moments(Toy(), look_at(bright_place()), 1)
    assert [run.start for run in runs] == list(range(8))
    # Without frame 4 (or 5) the place is half as bright in it; without others nothing changes.
    assert set(np.flatnonzero(falls > 0.1)) == {4, 5}


def test_a_video_of_one_frame_has_a_map() -> None:
    look = look_at(bright_place()[4:5])
    toy = Toy((slice(0, 1), *PLACE[1:]))
    assert occlusion_map(toy, look, 1).shape == (1, 4, 4)
    assert moments(toy, look, 1)[1].tolist() == [0.0]


def test_cells_cover_all_without_overlap() -> None:
    for length, count in ((7, 3), (3, 8), (448, 4)):
        parts = cells(length, count)
        assert [at for part in parts for at in range(part.start, part.stop)] == list(range(length))
        assert len(parts) == min(length, count)


def test_kept_cells_are_as_they_were_and_the_others_the_blurred_mean() -> None:
    look = look_at(bright_place())
    kept = np.zeros((4, 4, 4), bool)
    kept[2, 2, 1] = True
    shown = only_cells(look, kept)
    inner = (slice(4, 6), slice(19, 21), slice(11, 13))
    np.testing.assert_array_equal(shown[inner], look.frames[inner])
    np.testing.assert_array_equal(shown[0], blank(look.frames, kept.shape))
    np.testing.assert_array_equal(only_cells(look, ~np.zeros((4, 4, 4), bool)), look.frames)


def test_a_map_of_cells_is_spread_over_pixels_and_gathered_again() -> None:
    values = np.zeros((4, 4, 4), np.float32)
    values[1, 2, 3] = 1
    pixels = spread(values, look_at(bright_place()))
    assert pixels.shape == (8, 32, 32)
    assert not pixels[0:2].any() and pixels[2:4].any()
    assert np.unravel_index(gathered(pixels, (4, 4, 4)).argmax(), (4, 4, 4)) == (1, 2, 3)


def test_log_odds_keep_their_digits_where_one_minus_p_has_none() -> None:
    sure = np.float32([[1.0, 1e-12]])
    np.testing.assert_allclose(log_odds(sure, 0), np.log(1e12), rtol=1e-6)
    np.testing.assert_allclose(log_odds(np.float32([[0.2, 0.5, 0.3]]), 1), 0, atol=1e-6)
