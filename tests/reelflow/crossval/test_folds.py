"""Which videos a fold learns from, watches and tests."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from reelflow.base.errors import DataError
from reelflow.crossval.folds import Fold, official, one_group_out, stratified


def videos(groups: int = 6, of_a_group: int = 2, labels: str = "ab") -> pd.DataFrame:
    rows = [
        (f"{label}{group}{i}", label, labels.index(label), f"g{group}")
        for label in labels
        for group in range(groups)
        for i in range(of_a_group)
    ]
    return pd.DataFrame(rows, columns=["hash", "label", "target", "group"])


def group_of(video: str) -> str:
    return f"g{video[1]}"


def assert_apart(fold: Fold) -> None:
    """No group stands on two sides, and nothing is left over."""
    sides = [{group_of(v) for v in part} for part in (fold.learned, fold.watched, fold.tested)]
    assert all(sides)
    assert sum(map(len, sides)) == len(set().union(*sides)) == 6
    assert fold.groups == sorted(sides[2])


@pytest.mark.parametrize("folds", [3, 6])
def test_each_repeat_tests_every_video_once_and_no_group_stands_on_two_sides(folds: int) -> None:
    found = stratified(videos(), folds, 2, seed=0)
    assert [(f.repeat, f.number) for f in found] == [
        (r, n) for r in (1, 2) for n in range(1, folds + 1)
    ]
    for fold in found:
        assert_apart(fold)
    for repeat in (1, 2):
        tested = Counter(v for f in found if f.repeat == repeat for v in f.tested)
        assert tested == Counter(videos()["hash"])


def test_the_folds_are_those_of_scikit_learn_and_repeats_deal_anew() -> None:
    table = videos()
    found = stratified(table, 3, 2, seed=5)
    for repeat in (0, 1):
        dealer = StratifiedGroupKFold(3, shuffle=True, random_state=5 + repeat)
        truth = [list(table["hash"].iloc[t]) for _, t in
                 dealer.split(table, table["target"], table["group"])]  # fmt: skip
        assert [f.tested for f in found if f.repeat == repeat + 1] == truth
    assert [f.tested for f in found[:3]] != [f.tested for f in found[3:]]


def test_each_group_is_left_out_once() -> None:
    found = one_group_out(videos(), seed=0)
    assert [fold.groups for fold in found] == [[f"g{i}"] for i in range(6)]
    for fold in found:
        assert_apart(fold)


def test_a_video_without_a_group_is_one_of_its_own() -> None:
    table = videos()
    table.loc[0, "group"] = None
    alone = [fold for fold in one_group_out(table, seed=0) if fold.groups == ["a00"]]
    assert [fold.tested for fold in alone] == [["a00"]]


def test_too_few_groups_of_a_class_are_a_sentence() -> None:
    table = videos()
    few = table[(table["label"] == "b") | table["group"].isin(["g0", "g1"])]
    with pytest.raises(DataError, match="5 folds need as many groups of each class, and “a” has 2"):
        stratified(few, 5, 1, seed=0)
    with pytest.raises(DataError, match="left with one group"):
        stratified(few, 2, 1, seed=0)
    with pytest.raises(DataError, match="“a” has 1"):
        one_group_out(few[few["group"] != "g1"], seed=0)


def test_an_official_split_is_a_fold_and_names_need_be_in_one_list_alone() -> None:
    named = videos().assign(path=lambda table: table["hash"])
    tested = {video: "test" for video in named["path"] if group_of(video) in ("g0", "g1")}
    # HMDB51's codes: 1 is learned from, 2 tested, 0 left out.
    codes = {video: "120111"[int(video[1])] for video in named["path"]}
    first, second = official(named, [tested, codes], seed=0)
    assert [(f.repeat, f.number) for f in (first, second)] == [(1, 1), (2, 1)]
    assert first.groups == ["g0", "g1"]
    assert sorted(first.tested) == sorted(tested)
    assert_apart(first)
    assert second.groups == ["g1"]
    taking_part = {*second.learned, *second.watched, *second.tested}
    assert {group_of(video) for video in taking_part} == {"g0", "g1", "g3", "g4", "g5"}


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        ({"a00": "train"}, "official split 1 does not leave any video to test"),
        ({f"a{g}{i}": "test" for g in range(6) for i in range(2)}, "leave “a” to learn from"),
        ({"a00": "3"}, "has “3”: it may be train,"),
    ],
)
def test_an_official_split_that_cannot_be_judged_is_a_sentence(
    split: dict[str, str], sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        official(videos().assign(path=lambda table: table["hash"]), [split], seed=0)
