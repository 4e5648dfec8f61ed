from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.networks import build
from reelflow.params.train import TrainParams
from reelflow.training import choose_network
from reelflow.training.choose_network import judge_network, minutes_of, why_not
from reelflow.training.recipe import recipe
from reelflow.training.ridge_head import group_folds

VIDEOS = pd.DataFrame(
    {
        "hash": [f"{number:02}" for number in range(60)],
        "target": [number % 2 for number in range(60)],
        "group": [f"g{number // 6}" for number in range(60)],
    }
)
RECIPE = recipe(TrainParams())


def judge(
    monkeypatch: pytest.MonkeyPatch, right: list[float], to_beat: list[float]
) -> tuple[list[float], bool]:
    """Judge a network that is right for this share of the videos of each fold."""
    shares = iter(right)

    def left_out(*arguments: Any) -> Any:
        videos, fold = arguments[2], arguments[3]
        targets = videos["target"].to_numpy()[fold[1]]
        answers = targets.copy()
        for target in (0, 1):
            of_class = np.flatnonzero(targets == target)
            if target == 0:
                share = next(shares)
            answers[of_class[round(share * len(of_class)) :]] = 1 - target
        return np.eye(2, dtype=np.float32)[answers]

    monkeypatch.setattr(choose_network, "_left_out", left_out)
    ones = np.ones(2, np.float32)
    return judge_network(None, None, VIDEOS, ones, RECIPE, to_beat)  # type: ignore[arg-type]


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
    small = build("r2plus1d", (4, 16, 16, 3), 2, [0.0] * 3, [1.0] * 3)
    large = build("r2plus1d", (4, 32, 32, 3), 2, [0.0] * 3, [1.0] * 3)
    once = minutes_of(small, 400, RECIPE)
    assert minutes_of(small, 400, replace(RECIPE, epochs=40)) == pytest.approx(2 * once)
    assert 3 < minutes_of(large, 400, RECIPE) / once < 5


@pytest.mark.parametrize(
    ("to_beat", "budget", "reason"),
    [
        ([0.97, 0.95], 1e9, "there is 4.0% to gain, less than 5%"),
        ([0.95, 0.93], 1e9, ""),
        ([0.95, 0.93], 0.0, "0 minutes of work"),
        ([0.97, 0.95], 0.0, "there is 4.0% to gain, less than 5%"),
    ],
)
def test_a_network_is_tried_where_there_is_something_to_gain_and_the_budget_allows(
    to_beat: list[float], budget: float, reason: str
) -> None:
    built = []

    def make_network() -> Any:
        built.append(1)
        return build("r2plus1d", (4, 16, 16, 3), 2, [0.0] * 3, [1.0] * 3)

    assert why_not(make_network, 40, RECIPE, budget, to_beat) == reason
    assert bool(built) == ("to gain" not in reason)
