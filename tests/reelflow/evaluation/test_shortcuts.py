"""What files tell of their classes, on made-up manifests whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from reelflow.evaluation.shortcuts import BRIGHTNESS, EVERYTHING, MOST_VIDEOS, measure
from tests.dataset import grid, manifest_of


def videos(
    labels: tuple[str, ...] = ("bend", "wave"), groups: int = 12, each: int = 4
) -> pd.DataFrame:
    """Videos whose bytes, lengths and brightness have nothing to do with their class."""
    table = manifest_of(grid(labels, groups, each))
    noise = np.random.default_rng(0)
    return table.assign(
        bytes=noise.integers(1000, 9000, len(table)),
        duration=noise.uniform(1, 3, len(table)),
        brightness=noise.uniform(50, 200, len(table)),
    )


def test_a_class_from_another_camera_is_told_and_by_what() -> None:
    table = videos()
    table["width"] = table["width"].where(table["label"] != "wave", 320)
    found = measure(table)
    assert found is not None
    assert (found.chance, found.videos, found.groups, found.folds) == (0.5, 96, 12, 5)
    assert found.by[EVERYTHING].alarming
    assert found.by[EVERYTHING].share == 1.0
    assert found.by["size of the picture"].share == 1.0
    assert not found.by["frames a second"].alarming
    assert not found.by[BRIGHTNESS].alarming
    assert [told.alarming for told in found.classes.values()] == [True, True]


def test_files_that_are_alike_raise_no_alarm() -> None:
    found = measure(videos(("bend", "jump", "wave"), groups=20))
    assert found is not None
    assert not any(told.alarming for told in [*found.by.values(), *found.classes.values()])
    told = found.by[EVERYTHING]
    assert told.low is not None and told.high is not None
    assert told.low <= told.share <= told.high
    assert told.low < 1 / 3


def test_what_tells_a_group_but_not_a_class_is_no_shortcut() -> None:
    """Each group has one class and one size: a random split would find every class by its size."""
    table = videos(groups=24)
    number = table["group"].str[1:].astype(int)
    table = table[(number % 2 == 0) == (table["label"] == "bend")]
    sizes = np.random.default_rng(1).permutation(np.arange(100, 1000, 8))[:24]
    table["width"] = sizes[table["group"].str[1:].astype(int)]
    found = measure(table)
    assert found is not None
    assert not found.by["size of the picture"].alarming


def test_light_is_measured_apart_from_files() -> None:
    table = videos()
    table["brightness"] += 400 * (table["label"] == "wave")
    found = measure(table)
    assert found is not None
    assert found.by[BRIGHTNESS].alarming
    assert not found.by[EVERYTHING].alarming


def test_of_few_groups_only_what_is_plain_is_told() -> None:
    plain = videos(groups=4)
    plain["fps"] = np.where(plain["label"] == "wave", 30.0, 25.0)
    found = measure(plain)
    assert found is not None and found.groups == 4
    assert found.by[EVERYTHING].alarming
    faint = videos(groups=4)
    some = np.random.default_rng(2).random(len(faint)) < 0.4
    faint["fps"] = np.where((faint["label"] == "wave") & some, 30.0, 25.0)
    found = measure(faint)
    assert found is not None
    assert found.by["frames a second"].share > 0.6
    assert not found.by["frames a second"].alarming


def test_a_class_of_one_group_is_left_out_and_one_class_cannot_be_told() -> None:
    table = videos(("bend", "jump", "wave"))
    table = table[(table["label"] != "jump") | (table["group"] == "g0")]
    found = measure(table)
    assert found is not None
    assert found.left_out == ["jump"]
    assert set(found.classes) == {"bend", "wave"}
    assert measure(table[table["label"] != "wave"]) is None


def test_videos_without_groups_count_as_their_own() -> None:
    found = measure(videos().assign(group=None))
    assert found is not None
    assert found.groups == 96


def test_the_order_of_rows_and_missing_brightness_change_nothing() -> None:
    table = videos()
    table.loc[3, "brightness"] = np.nan
    assert measure(table) == measure(table.sample(frac=1, random_state=1))


def test_no_more_is_asked_of_a_large_set() -> None:
    found = measure(videos(groups=400, each=3))
    assert found is not None
    assert found.videos == MOST_VIDEOS


@pytest.mark.parametrize("column", ["codec", "container", "pixel_format", "time_base"])
def test_how_a_file_was_made_is_known(column: str) -> None:
    table = videos()
    table[column] = np.where(table["label"] == "wave", "other", table[column])
    found = measure(table)
    assert found is not None
    assert found.by["codec and container"].share == 1.0
