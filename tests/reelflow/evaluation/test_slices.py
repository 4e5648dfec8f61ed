"""Slices: a planted one is named, and chance is not, though clips of one group fail together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from reelflow.evaluation.slices import measure, sentence, slices

RANDOM = np.random.default_rng(0)


def videos(groups: int = 24, each: int = 5, seed: int = 0) -> pd.DataFrame:
    """Properties that the videos of a group share, as those of one camera."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    return pd.DataFrame(
        {
            "group": group,
            "known_group": [f"g{number}" for number in group],
            "pixels": random.choice([320 * 240, 640 * 480, 1920 * 1080], groups)[group],
            "fps": random.choice([25.0, 30.0], groups)[group],
            "duration": random.uniform(1, 9, len(group)),
            "brightness": random.uniform(20, 200, groups)[group],
            "change": random.uniform(0.5, 9, len(group)),
            "codec": random.choice(["h264", "vp9"], groups)[group],
        }
    )


def test_a_planted_slice_is_named_and_stands() -> None:
    table = videos()
    dark = (table["brightness"] <= table["brightness"].quantile(1 / 3)).to_numpy()
    right = RANDOM.random(len(table)) < np.where(dark, 0.5, 0.95)
    found = measure(table, right)
    assert found["worst"]["name"].startswith("dark clips (up to brightness ")
    assert found["worst"]["stands"]
    assert found["worst"]["accuracy"] == pytest.approx(right[dark].mean(), abs=1e-6)
    said = sentence(found)
    assert said is not None
    assert said.startswith("It does worse on dark clips")


def test_a_group_that_always_fails_is_named() -> None:
    table = videos()
    right = RANDOM.random(len(table)) < 0.95
    right[table["known_group"] == "g7"] = False
    found = measure(table, right)
    assert found["worst"]["name"] == "group “g7”"
    assert found["worst"]["stands"]


@pytest.mark.parametrize(("alike", "known"), [(0.0, True), (0.3, False)])
def test_chance_alone_stands_in_one_test_of_twenty_at_most(alike: float, known: bool) -> None:
    """Where videos of a group fail together, groups differ: then they are no slices here."""
    random, stood = np.random.default_rng(1), []
    for seed in range(120):
        table = videos(seed=seed)
        if not known:
            table["known_group"] = None
        share = 0.8
        if alike:
            spread = (1 - alike) / alike
            share = random.beta(0.8 * spread, 0.2 * spread, 24)[table["group"]]
        worst = measure(table, random.random(len(table)) < share, seed)["worst"]
        stood.append(worst["stands"])
    assert np.mean(stood) < 0.1, "0.05, and two standard errors"


def test_thirds_codecs_and_groups_are_slices_and_what_does_not_differ_is_none() -> None:
    table = videos().assign(codec="h264", fps=25.0)
    names = [one.name for one in slices(table)]
    assert not [name for name in names if "codec" in name or "second" in name]
    assert sum("group" in name for name in names) == 24
    assert sum("clips" in name for name in names) == 6
    short = next(one for one in slices(table) if one.name.startswith("short"))
    assert short.members.sum() == pytest.approx(len(table) / 3, abs=1)


def test_nothing_is_worst_where_all_is_right_or_nothing_can_be_told() -> None:
    table = videos()
    assert measure(table, np.ones(len(table), bool))["worst"] is None
    few = table.head(6)
    found = measure(few, np.array([True, False] * 3))
    assert found == {"slices": 0, "worst": None}
    assert sentence(found) is None
