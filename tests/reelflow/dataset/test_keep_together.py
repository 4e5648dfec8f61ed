"""What must stand in one split: groups that near-duplicates join, and what to do if they cannot."""

from __future__ import annotations

import pandas as pd
import pytest

from reelflow.base.errors import DataError
from reelflow.dataset.keep_together import ALL, Group, Video, join, sources
from reelflow.dataset.splits import divide
from tests.dataset import digest, grid, manifest_of
from tests.division import SHARES, by_path, split


def group(name: str, *hashes: str, allowed: str = "") -> Group:
    splits = frozenset({allowed}) if allowed else ALL
    named = "" if (name,) == hashes else name
    videos = [Video(h, f"{h}.mp4", "walk", named, splits, "", False) for h in hashes]
    return Group(name, videos, splits)


def joined(groups: list[Group], *alike: tuple[str, ...]) -> tuple[dict[str, list[str]], list[str]]:
    """The videos of each group, and what was left out."""
    sets = pd.Series({video: together[0] for together in alike for video in together}, dtype=str)
    found, left_out = join(groups, sets)
    return {g.name: [video.hash for video in g.videos] for g in found}, left_out


def test_near_duplicates_join_the_groups_that_they_are_of() -> None:
    groups = [group("g1", "a", "b"), group("g2", "c"), group("g3", "d"), group("e", "e")]
    assert joined(groups, ("b", "c"), ("d", "e")) == (
        {"g1 + 1": ["a", "b", "c"], "g3 + 1": ["d", "e"]}, []
    )  # fmt: skip


def test_groups_are_joined_through_others() -> None:
    groups = [group("g1", "a", "b"), group("g2", "c", "d"), group("g3", "e"), group("g4", "f")]
    found, _ = joined(groups, ("a", "c"), ("d", "e"))
    assert found == {"g1 + 2": ["a", "b", "c", "d", "e"], "g4": ["f"]}


def test_what_is_free_goes_where_its_near_duplicate_is_bound_to() -> None:
    found, left_out = join(
        [group("g1", "a", allowed="test"), group("g2", "b", "c")], pd.Series({"a": "a", "b": "a"})
    )
    (only,) = found
    assert only.allowed == {"test"}
    assert len(only.videos) == 3
    assert left_out == []


def test_between_two_splits_that_are_bound_the_one_that_counts_less_is_left_out() -> None:
    groups = [
        group("g1", "a", "b", allowed="train"),
        group("g2", "c", allowed="test"),
        group("g3", "d", allowed="validation"),
    ]
    found, left_out = joined(groups, ("a", "c", "d"))
    assert found == {"g1": ["b"], "g2": ["c"]}
    assert left_out == ["a.mp4", "d.mp4"]


def test_without_near_duplicates_groups_stay_as_they_are() -> None:
    groups = [group("g1", "a", "b"), group("c", "c")]
    assert joined(groups) == ({"g1": ["a", "b"], "c": ["c"]}, [])


def test_near_duplicates_stand_in_one_split_when_they_come_and_later() -> None:
    videos = manifest_of(grid(groups=12))
    pairs = [(0, 30), (31, 60), (10, 45)]
    for one, other in pairs:
        videos.loc[[one, other], "alike"] = videos.at[one, "hash"]
    found, ledger = split(videos)
    for one, other in pairs:
        assert found[videos.at[one, "path"]] == found[videos.at[other, "path"]]
    # A copy of a test video comes in a group of its own.
    tested = videos.index[videos["path"].map(found) == "test"][0]
    new = videos.iloc[[40]].assign(hash=digest("new"), path="bend/new.mp4", group="new")
    videos.loc[tested, "alike"] = new["alike"] = videos.at[tested, "hash"]
    grown, _ = split(pd.concat([videos, new], ignore_index=True), ledger)
    assert grown["bend/new.mp4"] == "test"
    assert {path: grown[path] for path in found} == found


def test_where_near_duplicates_leave_too_few_groups_it_is_said() -> None:
    videos = manifest_of(grid(groups=4))
    videos["alike"] = "all"
    with pytest.raises(DataError, match=r"of its 1 group 1 may .* raise ingest\.min_likeness"):
        split(videos)


def test_of_near_duplicates_in_two_splits_of_the_ledger_that_of_the_test_stays() -> None:
    videos = manifest_of(grid(groups=12))
    found, ledger = split(videos)
    place = videos["path"].map(found)
    trained, tested = (videos.index[place == name][0] for name in ("train", "test"))
    videos.loc[[trained, tested], "alike"] = videos.at[tested, "hash"]
    division = divide(videos, ledger, SHARES, 0)
    assert division.left_out == [videos.at[trained, "path"]]
    now = by_path(division)
    assert now == {path: found[path] for path in now}
    assert set(found) - set(now) == {videos.at[trained, "path"]}


def test_sources_are_groups_and_what_near_duplicates_join() -> None:
    videos = pd.DataFrame(
        {
            "group": ["g1", "g1", "g2", None, None, None],
            "alike": [None, "x", "x", None, "y", "y"],
        }
    )
    found = sources(videos).tolist()
    assert found[0] == found[1] == found[2]
    assert found[4] == found[5]
    assert len(set(found)) == 3
