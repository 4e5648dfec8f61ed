from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.params.train import TrainParams
from reelflow.training import choose_network
from reelflow.training.choose_network import by_work, judge_network, minutes_of
from reelflow.training.group_folds import group_folds
from reelflow.training.optimizer import recipe

VIDEOS = pd.DataFrame(
    {
        "hash": [f"{number:02}" for number in range(60)],
        "target": [number % 2 for number in range(60)],
        "group": [f"g{number // 6}" for number in range(60)],
    }
)
RECIPE = recipe(TrainParams())


ONES = np.ones(2, np.float32)


def answering(monkeypatch: pytest.MonkeyPatch, right: dict[Any, list[float]]) -> None:
    """Networks that are right for these shares of each class, a training after the other."""
    shares = {make_network: iter(given) for make_network, given in right.items()}

    def left_out(*arguments: Any) -> Any:
        make_network, _, videos, fold, *_ = arguments
        targets = videos["target"].to_numpy()[fold[1]]
        answers = targets.copy()
        share = next(shares[make_network])
        for target in (0, 1):
            of_class = np.flatnonzero(targets == target)
            answers[of_class[round(share * len(of_class)) :]] = 1 - target
        return np.eye(2, dtype=np.float32)[answers]

    monkeypatch.setattr(choose_network, "_left_out", left_out)


def judge(
    monkeypatch: pytest.MonkeyPatch, right: list[float], to_beat: list[float], **more: bool
) -> tuple[list[float], bool]:
    answering(monkeypatch, {small: right})
    return judge_network(small, None, VIDEOS, ONES, RECIPE, to_beat, **more)  # type: ignore[arg-type]


def network(side: int) -> Any:
    import keras

    clip = keras.Input((4, side, side, 3))
    x = keras.layers.Conv3D(2, 3, padding="same")(clip)
    return keras.Model(clip, keras.layers.GlobalAveragePooling3D()(x))


def small() -> Any:
    return network(16)


def large() -> Any:
    return network(32)


def choose(
    monkeypatch: pytest.MonkeyPatch,
    right: dict[Any, list[float]],
    to_beat: float,
    budget: float = 1e9,
) -> tuple[str, list[dict[str, Any]]]:
    answering(monkeypatch, right)
    networks = {make_network.__name__: make_network for make_network in right}
    beat = [to_beat] * 5
    return choose_network.choose_network(networks, None, VIDEOS, ONES, RECIPE, budget, beat)  # type: ignore[arg-type]


@pytest.mark.parametrize(("right", "better"), [(0.5, False), (1.0, True)])
def test_a_first_look_is_enough_where_they_differ_by_far(
    monkeypatch: pytest.MonkeyPatch, right: float, better: bool
) -> None:
    found, taken = judge(monkeypatch, [right], [0.75] * 5)
    assert found == pytest.approx([right], abs=0.1)
    assert taken is better


@pytest.mark.parametrize(
    ("right", "better"),
    [
        ([1.0, 1.0, 1.0], True),
        ([1.0, 0.8, 0.9], False),
        ([1.0, 0.5, 0.5], False),
        ([0.9, 1.0, 1.0], False),
    ],
)
def test_else_three_folds_decide_and_chance_is_no_reason(
    monkeypatch: pytest.MonkeyPatch, right: list[float], better: bool
) -> None:
    found, taken = judge(monkeypatch, [1.0, *right], [0.95] * 5)
    assert len(found) == 3
    assert taken is better


def test_folds_are_those_that_the_head_was_judged_on() -> None:
    targets, groups = VIDEOS["target"].to_numpy(), list(VIDEOS["group"])
    one, two = (group_folds(targets, groups, 0) for _ in range(2))
    assert len(one) == 5
    for (learned, left), (_, again) in zip(one, two, strict=True):
        assert left.tolist() == again.tolist()
        assert not {groups[at] for at in learned} & {groups[at] for at in left}


def test_work_grows_with_epochs_and_with_pixels() -> None:
    once = minutes_of(small(), 400, RECIPE)
    assert minutes_of(small(), 400, replace(RECIPE, epochs=40)) == pytest.approx(2 * once)
    assert 3 < minutes_of(large(), 400, RECIPE) / once < 5
    assert list(by_work({"large": large, "small": small}, 400, RECIPE)) == ["small", "large"]


def test_one_that_others_are_to_beat_is_judged_on_all_folds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, taken = judge(monkeypatch, [1.0, 1.0, 0.9, 1.0], [0.75] * 5, last=False)
    assert (len(found), taken) == (3, True)
    found, taken = judge(monkeypatch, [0.2], [0.75] * 5, last=False)
    assert (len(found), taken) == (1, False)


def test_of_several_the_cheap_one_is_tried_first_and_the_dear_one_must_beat_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cheap = [0.8, 0.8, 0.8, 0.8]
    best, rows = choose(monkeypatch, {large: [0.81] * 4, small: cheap}, 0.6)
    assert best == "small"
    assert [row["features"] for row in rows] == ["network small", "network large"]
    assert [row["folds"] for row in rows] == [3, 3]
    assert [row["chosen"] for row in rows] == [True, False]
    best, rows = choose(monkeypatch, {large: [1.0] * 4, small: cheap}, 0.6)
    assert [(row["chosen"], row["folds"]) for row in rows] == [(False, 3), (True, 1)]
    assert best == "large"
    best, rows = choose(monkeypatch, {large: [0.5], small: [0.5]}, 0.9)
    assert best == ""
    assert not any(row["chosen"] for row in rows)


def test_a_second_one_is_not_tried_where_the_first_leaves_nothing_to_gain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    best, rows = choose(monkeypatch, {large: [], small: [1.0] * 4}, 0.6)
    assert best == "small"
    assert rows[1]["not_tried"] == "there is 0.0% to gain, less than 5%"


def test_the_budget_is_that_of_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    costs = by_work({"small": small, "large": large}, len(VIDEOS), RECIPE)
    both = sum(costs.values())
    right = {large: [0.9] * 4, small: [0.5] * 4}
    best, rows = choose(monkeypatch, right, 0.8, both)
    assert best == "large"
    best, rows = choose(monkeypatch, right, 0.8, both - 1e-9)
    assert best == ""
    assert "balanced_accuracy" in rows[0]
    dear = costs["large"]
    assert rows[1]["not_tried"] == f"{dear:.1f} minutes of work, {dear:.1f} left of the budget"
    _, rows = choose(monkeypatch, right, 0.8, 0.0)
    assert all(row["not_tried"].endswith("minutes of work, 0.0 left of the budget") for row in rows)
    assert choose(monkeypatch, {}, 0.8) == ("", [])


def test_nothing_is_built_where_the_head_leaves_nothing_to_gain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never() -> Any:
        raise AssertionError

    best, rows = choose(monkeypatch, {never: []}, 0.96)
    assert (best, rows[0]["not_tried"]) == ("", "there is 4.0% to gain, less than 5%")
