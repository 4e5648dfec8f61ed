"""The checks tell a map that follows the model from one that follows the video."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from reelflow.base.errors import DataError
from reelflow.explain.explain_video import decisive, explain
from reelflow.explain.findings_in_words import sentences, summary
from reelflow.explain.sanity_checks import areas, by_map, check, energy_in_boxes, rank_correlation
from tests.explained import Toy, bright_place, look_at

BOX = np.tile([8.0, 16.0, 16.0, 24.0], (8, 1))


def checked(*, blind: bool) -> dict:
    toy = Toy(blind=blind)
    return check(toy, explain(toy, look_at(bright_place())), BOX, seed=0)


def test_rank_correlation_is_spearmans() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    one[0] = 0  # ties
    expected = spearmanr(one.ravel(), other.ravel()).statistic
    assert rank_correlation(one, other) == pytest.approx(expected)
    assert rank_correlation(one, np.zeros_like(one)) == 0.0


def test_a_map_of_the_place_that_decides_passes_all() -> None:
    found = summary([checked(blind=False)])["occlusion"]
    assert found["passes"] == {
        "depends_on_what_was_learned": True, "deletion": True, "insertion": True, "box": True,
    }  # fmt: skip


def test_a_map_that_no_weight_changes_fails_in_words() -> None:
    found = summary([checked(blind=True)])
    assert found["own"]["rank_correlation"]["the place"] == 1.0
    assert not found["own"]["passes"]["depends_on_what_was_learned"]
    said = sentences(found, 1)[1]
    assert "hardly depends on what was learned: read it as where things move" in said


def test_a_map_turned_round_counts_as_the_same() -> None:
    one = {"map": {"stages": {"all": -0.9}, "deletion_gain": 0.1, "insertion_gain": 0.1,
                   "box_energy": None}}  # fmt: skip
    found = summary([one, one])["map"]
    assert found["rank_correlation"]["all"] == 0.9
    assert found["signed_rank_correlation"] == -0.9
    assert not found["passes"]["depends_on_what_was_learned"]
    assert found["passes"]["box"] is None


def test_the_best_order_takes_the_answer_away_soonest_and_brings_it_back_soonest() -> None:
    toy, look, grid = Toy(), look_at(bright_place()), (4, 4, 4)
    order = by_map(explain(toy, look).maps["occlusion"], grid)
    best, worst = areas(toy, look, 1, [order, order[::-1]], grid)
    assert best[0] < worst[0] and best[1] > worst[1]
    # What the one blanks last the other shows first, from the same ends to the same ends.
    assert best[0] == pytest.approx(worst[1]) and best[1] == pytest.approx(worst[0])


def test_energy_in_a_box_is_a_multiple_of_chance() -> None:
    values = np.ones((2, 4, 4), np.float32)
    boxes = np.tile([0.0, 0.0, 2.0, 2.0], (2, 1))  # a quarter of the picture
    assert energy_in_boxes(values, boxes) == pytest.approx(1)
    values[:, :2, :2] = 3  # 12 of 24
    assert energy_in_boxes(values, boxes) == pytest.approx(2)
    values[:, 2:] = -9  # against the answer: counts for nothing, 12 of 16
    assert energy_in_boxes(values, boxes) == pytest.approx(12 / 16 / 0.25)
    assert energy_in_boxes(values, boxes + 9) is None
    assert energy_in_boxes(-abs(values), boxes) is None


def test_an_answer_is_explained_unless_another_label_is_named() -> None:
    toy, look = Toy(), look_at(bright_place())
    assert explain(toy, look).target == 1
    other = explain(toy, look, "dark")
    assert other.target == 0 and other.maps["occlusion"].min() < -1
    with pytest.raises(DataError, match="no label 'red'; it knows dark, bright"):
        explain(toy, look, "red")


def test_the_decisive_moments_come_in_order_of_time() -> None:
    assert decisive(explain(Toy(), look_at(bright_place()))) == [(0.4, 0.4), (0.5, 0.5)]
