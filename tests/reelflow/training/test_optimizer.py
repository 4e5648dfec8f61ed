"""The optimizer of a recipe: its learning rate at each step, by formulas, and its limits."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from reelflow.params.train import TrainParams
from reelflow.training.optimizer import Recipe, optimizer_of, recipe

STEPS = 200
DEFAULT = recipe(TrainParams())


def rates(recipe: Recipe) -> list[float]:
    """The learning rate of each step."""
    schedule = optimizer_of(recipe, STEPS)._learning_rate
    return [float(schedule(step)) for step in range(STEPS)]


def test_the_default_rises_over_a_twentieth_and_falls_along_half_a_cosine() -> None:
    rise = [DEFAULT.learning_rate * (0.1 + 0.9 * step / 10) for step in range(10)]
    fall = [DEFAULT.learning_rate * (1 + math.cos(math.pi * step / 190)) / 2 for step in range(190)]
    np.testing.assert_allclose(rates(DEFAULT), rise + fall, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("schedule", ["step", "constant"])
def test_step_falls_to_a_tenth_twice_and_constant_never(schedule: str) -> None:
    found = np.array(rates(replace(DEFAULT, schedule=schedule, warmup=0.1))) / DEFAULT.learning_rate
    np.testing.assert_allclose(found[:20], 0.05 + 0.95 * np.arange(20) / 20, rtol=1e-4)
    falls = [1.0] * 80 + [0.1] * 50 + [0.01] * 50 if schedule == "step" else [1.0] * 180
    np.testing.assert_allclose(found[20:], falls, rtol=1e-4)


@pytest.mark.parametrize("schedule", ["cosine", "step", "constant"])
def test_without_a_warm_up_the_first_step_is_the_largest(schedule: str) -> None:
    found = rates(replace(DEFAULT, schedule=schedule, warmup=0.0))
    assert found[0] == pytest.approx(DEFAULT.learning_rate)
    assert max(found) == found[0]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_what_is_off_is_not_there_and_what_is_on_holds_for_every_optimizer(optimizer: str) -> None:
    off = optimizer_of(replace(DEFAULT, optimizer=optimizer), STEPS)
    on = optimizer_of(replace(DEFAULT, optimizer=optimizer, clip_norm=2.0, average=0.9), STEPS)
    assert (off.global_clipnorm, off.use_ema) == (None, False)
    assert (on.global_clipnorm, on.use_ema, on.ema_momentum) == (2.0, True, 0.9)
