from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from reelflow.base.errors import DataError
from reelflow.dataset.splits import divide
from tests.dataset import digest, grid, manifest_of
from tests.division import NOTHING, SHARES, split


def random_videos(rng: np.random.Generator, groups: int, labels: int) -> pd.DataFrame:
    """Videos of a few labels in each group, some without a group."""
    videos: list[tuple[str, str | None]] = []
    for group in range(groups):
        for label in rng.choice(labels, size=rng.integers(1, labels + 1), replace=False):
            name = None if rng.random() < 0.1 else f"g{group}"
            videos += [(f"c{label}/{group}_{i}.mp4", name) for i in range(rng.integers(1, 5))]
    table = manifest_of(videos)
    table["hash"] = [digest(f"{rng.integers(2**40)}") for _ in range(len(table))]
    return table


def sources(videos: pd.DataFrame) -> pd.Series:
    return videos["group"].fillna(videos["hash"])


def division_exists(videos: pd.DataFrame) -> bool:
    """By trying all: whether whole groups can put every class into every split."""
    of_group = [set(part["label"]) for _, part in videos.groupby(sources(videos))]
    labels = set(videos["label"])
    return any(
        all(
            labels == set().union(*(has for has, s in zip(of_group, choice, strict=True) if s == k))
            for k in range(3)
        )
        for choice in itertools.product(range(3), repeat=len(of_group))
    )


def test_no_group_stands_in_two_splits_and_every_class_in_all_three() -> None:
    rng = np.random.default_rng(0)
    for trial in range(60):
        videos = random_videos(rng, groups=int(rng.integers(6, 30)), labels=int(rng.integers(2, 6)))
        try:
            result = divide(videos, NOTHING, SHARES, seed=trial).videos
        except DataError:
            counts = sources(videos).groupby(videos["label"]).nunique()
            assert counts.min() < 6, "refused though every class has groups in plenty"
            continue
        assert (result.groupby(sources(result))["split"].nunique() == 1).all()
        assert (result.groupby("label")["split"].nunique() == 3).all()


def test_a_division_is_refused_only_where_trying_all_finds_none() -> None:
    rng = np.random.default_rng(1)
    refused = 0
    for trial in range(60):
        videos = random_videos(rng, groups=int(rng.integers(3, 7)), labels=3)
        videos["group"] = videos["group"].fillna("g0")
        try:
            divide(videos, NOTHING, SHARES, seed=trial)
        except DataError:
            refused += 1
            assert not division_exists(videos)
        else:
            assert division_exists(videos)
    assert 0 < refused < 60


def test_a_video_never_moves_while_the_data_grow() -> None:
    rng = np.random.default_rng(2)
    for trial in range(20):
        videos = random_videos(rng, groups=25, labels=3)
        ledger, former = NOTHING, dict[str, str]()
        for size in (0.5, 0.7, 1.0):
            part = videos[np.arange(len(videos)) % 10 < size * 10]
            now, ledger = split(part, ledger, seed=trial)
            assert {path: now[path] for path in former} == former
            former = now


def test_the_order_of_files_and_their_names_decide_nothing() -> None:
    videos = random_videos(np.random.default_rng(3), groups=20, labels=3)
    plain = divide(videos, NOTHING, SHARES, 0).videos.set_index("hash")["split"]
    shuffled = divide(videos.sample(frac=1, random_state=1), NOTHING, SHARES, 0).videos
    assert plain.equals(shuffled.set_index("hash")["split"])

    renamed = videos.assign(
        path=[f"{i % 7}/{path[::-1]}" for i, path in enumerate(videos["path"])],
        group=videos["group"].map(lambda name: name[::-1] + "x", na_action="ignore"),
        label=videos["label"].map({"c0": "zz", "c1": "a", "c2": "m"}),
    )
    other = divide(renamed, NOTHING, SHARES, 0).videos.set_index("hash")["split"]
    assert other.sort_index().equals(plain.sort_index())


def test_another_seed_divides_in_another_way() -> None:
    videos = manifest_of(grid(groups=12))
    assert split(videos, seed=0)[0] == split(videos, seed=0)[0]
    assert len({tuple(split(videos, seed=seed)[0].values()) for seed in range(5)}) > 1


def test_shares_of_classes_are_nearer_than_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    ours, theirs = [], []
    for seed in range(5):
        sizes = rng.poisson(1.2, (30, 4))
        videos = manifest_of(
            [
                (f"c{label}/{group}_{i}.mp4", f"g{group}")
                for (group, label), n in np.ndenumerate(sizes)
                for i in range(n)
            ]
        )
        totals = videos["label"].value_counts()
        test = divide(videos, NOTHING, SHARES, seed).videos.query("split == 'test'")
        ours.append((test["label"].value_counts() / totals - 0.2).abs().mean())
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for _, chosen in folds.split(videos, videos["label"], videos["group"]):
            counts = videos.iloc[chosen]["label"].value_counts()
            theirs.append((counts.reindex(totals.index, fill_value=0) / totals - 0.2).abs().mean())
    assert np.mean(ours) < 0.5 * np.mean(theirs)


def test_many_videos_without_groups_get_their_shares_exactly() -> None:
    videos = manifest_of([(f"{label}/{i}.mp4", None) for label in "ab" for i in range(500)])
    counts = divide(videos, NOTHING, SHARES, 0).videos.groupby(["label", "split"]).size()
    assert counts.to_dict() == {
        (label, name): 500 * share for label in "ab" for name, share in SHARES.items()
    }


def test_a_new_video_goes_where_its_group_is_even_if_all_others_are_gone() -> None:
    videos = manifest_of(grid())
    before, ledger = split(videos)
    test_group = videos.loc[videos["path"].map(before) == "test", "group"].iloc[0]
    more = manifest_of([*grid(groups=9), *[(f"bend/new{i}.mp4", test_group) for i in range(9)]])
    without = more[(more["group"] != test_group) | more["path"].str.contains("new")]
    after, _ = split(without, ledger)
    assert {after[f"bend/new{i}.mp4"] for i in range(9)} == {"test"}


def test_a_video_that_comes_back_keeps_its_split() -> None:
    videos = manifest_of([(f"{label}/{i}.mp4", None) for label in "ab" for i in range(20)])
    before, ledger = split(videos)
    for seed in range(3):
        fewer = videos[videos.index % 4 != seed]
        _, ledger = split(fewer, ledger, seed)
    assert split(videos, ledger, seed=9)[0] == before


def test_a_video_keeps_its_split_under_another_name_and_label() -> None:
    videos = manifest_of(grid())
    before, ledger = split(videos)
    changed = videos.assign(path="x/" + videos["path"])
    changed.loc[0, "label"] = "wave"
    after, _ = split(changed, ledger)
    assert after == {f"x/{path}": name for path, name in before.items()}


def test_a_ledger_of_other_videos_is_another_data_sets() -> None:
    _, ledger = split(manifest_of(grid()))
    others = manifest_of(grid(labels=("sit", "run")))
    assert ledger.for_videos(others["hash"]).rows.empty
    assert len(ledger.for_videos(manifest_of(grid())["hash"]).rows) == 36


def test_groups_that_tear_what_the_ledger_holds_are_an_error_with_the_remedy() -> None:
    alone = manifest_of([(path, None) for path, _ in grid()])
    _, ledger = split(alone)
    with pytest.raises(DataError) as error:
        split(manifest_of(grid()), ledger)
    text = str(error.value)
    assert "stands in two splits" in text
    assert "by the ledger ('bend/g" in text
    assert "delete data/ledger.csv" in text


def test_finer_groups_stay_where_the_coarse_one_was() -> None:
    before, ledger = split(manifest_of(grid(videos=4)))
    finer = manifest_of([(path, path[-6:-4] + str(group)) for path, group in grid(videos=4)])
    assert split(finer, ledger)[0] == before


def test_an_official_split_wins_over_the_ledger() -> None:
    videos = manifest_of(grid())
    _, ledger = split(videos)
    wanted = {"g0": "test", "g1": "test", "g2": "validation"}
    official = videos.assign(split=videos["group"].map(wanted).fillna("train"))
    division = divide(official, ledger, SHARES, 0)
    assert (division.videos["split"] == official["split"].to_numpy()).all()
    former = ledger.splits()
    moved = [former[h] != s for h, s in zip(official["hash"], official["split"], strict=True)]
    assert division.moved == official.loc[moved, "path"].tolist()


def test_a_missing_validation_is_carved_out_of_training_by_group_and_stays() -> None:
    videos = manifest_of(grid(groups=12))
    official = videos.assign(split=np.where(videos["group"].isin(["g0", "g1"]), "test", "train"))
    division = divide(official, NOTHING, SHARES, 0)
    result = division.videos
    assert set(result.loc[result["split"] == "test", "group"]) == {"g0", "g1"}
    assert (result.groupby("group")["split"].nunique() == 1).all()
    # Of ten groups for training and validation, 0.15 / 0.80 are for validation.
    assert result.groupby("split")["group"].nunique()["validation"] == 2
    again = divide(official, NOTHING.updated(result), SHARES, seed=5)
    assert again.moved == []
    assert again.videos.equals(result)


def test_a_group_torn_by_the_official_split_is_an_error() -> None:
    videos = manifest_of(grid())
    videos["split"] = np.where(videos["path"].str.contains("_0"), "train", "test")
    with pytest.raises(DataError, match=r"(?s)train.* by the column `split`.*Correct the column"):
        divide(videos, NOTHING, SHARES, 0)


def test_a_class_that_official_splits_leave_out_of_the_test_is_said() -> None:
    videos = manifest_of(grid())
    wanted = {"g0": "test", "g1": "validation"}
    videos["split"] = videos["group"].map(wanted).fillna("train")
    videos = videos[(videos["label"] != "bend") | (videos["split"] != "test")]
    division = divide(videos, NOTHING, SHARES, 0)
    assert division.absent == {"bend": ["test"]}


def test_an_official_split_that_never_trains_on_a_class_is_an_error() -> None:
    videos = manifest_of(grid())
    videos["split"] = videos["group"].map({"g0": "test", "g1": "validation"}).fillna("train")
    videos = videos[(videos["label"] != "bend") | (videos["split"] != "train")]
    with pytest.raises(
        DataError,
        match="'bend' needs a group each for train, and of its 2 groups 0 may stand there;",
    ):
        divide(videos, NOTHING, SHARES, 0)


@pytest.mark.parametrize(("groups", "more"), [(1, "2 more groups"), (2, "1 more group ")])
def test_a_class_of_too_few_groups_is_told_how_many_more_it_needs(groups: int, more: str) -> None:
    videos = manifest_of([*grid(("bend", "jump")), *grid(("rare",), groups=groups, videos=9)])
    with pytest.raises(DataError) as error:
        divide(videos, NOTHING, SHARES, 0)
    assert "The class 'rare' needs a group each for train, validation, test" in str(error.value)
    assert more in str(error.value)


def test_a_class_whose_test_groups_are_gone_asks_for_new_ones_or_a_new_ledger() -> None:
    videos = manifest_of(grid())
    before, ledger = split(videos)
    left = videos[videos["path"].map(before) != "test"]
    with pytest.raises(DataError, match=r"each for test,.*1 more group .*data/ledger\.csv"):
        split(left, ledger)
    grown = pd.concat(
        [left, manifest_of([(f"{c}/new.mp4", "new") for c in ("bend", "jump", "wave")])]
    )
    assert split(grown, ledger)[0]["bend/new.mp4"] == "test"


def test_groups_tied_like_the_lines_of_a_plane_are_refused() -> None:
    # Any two of seven groups share one of seven classes of three: all would need own splits.
    lines = ["abc", "ade", "afg", "bdf", "beg", "cdg", "cef"]
    videos = manifest_of([(f"{line}/{group}.mp4", group) for line in lines for group in line])
    with pytest.raises(DataError, match="no division puts each of them"):
        divide(videos, NOTHING, SHARES, 0)
