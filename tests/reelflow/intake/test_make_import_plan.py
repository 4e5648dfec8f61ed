"""What an import would do, found out before it is done, and then done."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from reelflow.base.errors import DataError
from reelflow.intake.apply_import import carry_out, remove
from reelflow.intake.import_plan import Plan
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.intake.make_import_plan import plan_import
from reelflow.intake.read_folder_or_csv import Form, list_videos, read_source
from reelflow.intake.removal import meant
from reelflow.intake.same_bytes import only_copies
from tests.reelflow.intake.bringing import bring, counts


def fill(root: Path, **names: str) -> Path:
    """Files named `label__name`, with these contents."""
    for name, content in names.items():
        path = root / f"{name.replace('__', '/')}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


class Store:
    """A raw folder and its ledger."""

    def __init__(self, root: Path) -> None:
        self.raw = root / "data" / "raw"
        self.ledger = root / "state" / "source.json"

    def plan(self, origin: Path, form: Form | None = None, *, adding: bool = True) -> Plan:
        return plan_import(read_source(origin, form), self.raw, self.ledger, adding=adding)

    def add(self, origin: Path, form: Form | None = None) -> tuple[int, int, int]:
        return self.carry_out(self.plan(origin, form))

    def carry_out(self, plan: Plan) -> tuple[int, int, int]:
        carry_out(plan, self.raw, self.ledger)
        return counts(plan)

    def names(self) -> list[str]:
        return sorted(p.relative_to(self.raw).as_posix() for p in self.raw.rglob("*.mp4"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_adding_keeps_what_is_there_and_brings_no_bytes_twice(tmp_path: Path, store: Store) -> None:
    assert store.add(fill(tmp_path / "one", run__a="A", sit__b="B")) == (2, 0, 0)
    more = fill(tmp_path / "two", run__other="A", run__a="new", hop__c="C", hop__twin="C")
    plan = store.plan(more)
    assert plan.new_labels == ["hop"]
    assert plan.duplicates == [("hop/twin.mp4", "hop/c.mp4")]
    assert (plan.there, plan.gone, plan.obstacles) == (1, [], [])
    assert store.carry_out(plan) == (2, 1, 0)
    taken = next(name for name in store.names() if name.startswith("run/a-"))
    assert store.names() == ["hop/c.mp4", taken, "run/a.mp4", "sit/b.mp4"]
    assert (store.raw / taken).read_text() == "new"
    assert (store.raw / "run/a.mp4").read_text() == "A"
    assert not (store.raw / "videos.csv").exists()
    assert store.add(more) == (0, 4, 0)


def test_a_name_with_a_part_of_the_hash_may_be_taken_too(tmp_path: Path, store: Store) -> None:
    digest = hashlib.sha256(b"new").hexdigest()
    taken = fill(tmp_path / "one", **{"run__a": "A", f"run__a-{digest[:8]}": "other"})
    store.add(taken)
    assert list(store.plan(fill(tmp_path / "two", run__a="new")).put) == [f"run/a-{digest}.mp4"]


def test_a_video_of_the_same_name_size_and_age_is_another_if_its_bytes_are(
    tmp_path: Path, store: Store
) -> None:
    store.add(fill(tmp_path / "one", run__a="A"))
    os.utime(fill(tmp_path / "two", run__a="B") / "run/a.mp4", (0, 0))
    assert store.add(tmp_path / "two") == (1, 0, 0)


def test_a_csv_added_to_folders_lists_them_all_and_completes_what_is_known(
    tmp_path: Path, store: Store
) -> None:
    store.add(fill(tmp_path / "one", run__a="A", sit__b="B"))
    two = fill(tmp_path / "two", x__a="A", x__c="C")
    (two / "l.csv").write_text("path,label,group\nx/a.mp4,run,g1\nx/c.mp4,hop,g2\n")
    plan = store.plan(two / "l.csv")
    assert plan.changed == ["run/a.mp4"]
    store.carry_out(plan)
    assert list_videos(store.raw) == [
        LabelledVideo("run/a.mp4", "run", "g1"),
        LabelledVideo("sit/b.mp4", "sit"),
        LabelledVideo("x/c.mp4", "hop", "g2"),
    ]


def test_adding_keeps_columns_and_choices_of_a_csv_that_somebody_wrote(
    tmp_path: Path, store: Store
) -> None:
    fill(store.raw, run__a="A", run__unlisted="U")
    (store.raw / "videos.csv").write_text("path;label;note\nrun/a.mp4;run;seen twice\n")
    store.add(fill(tmp_path / "two", sit__b="B"))
    table = pd.read_csv(store.raw / "videos.csv", keep_default_na=False)
    assert table[["path", "label", "note"]].to_numpy().tolist() == [
        ["run/a.mp4", "run", "seen twice"],
        ["sit/b.mp4", "sit", ""],
    ]


def test_an_addition_that_was_cut_short_is_completed(tmp_path: Path, store: Store) -> None:
    store.add(fill(tmp_path / "one", run__a="A", sit__b="B"))
    (store.raw / "videos.csv").write_text("path,label,group\nrun/a.mp4,run,g\nsit/b.mp4,sit,g\n")
    fill(store.raw, hop__c="C")  # what a kill left: the file without its row
    assert store.plan(fill(tmp_path / "two", hop__c="C")).put == {}
    store.add(tmp_path / "two")
    assert [v.path for v in list_videos(store.raw)] == ["hop/c.mp4", "run/a.mp4", "sit/b.mp4"]


@pytest.mark.parametrize("adding", [True, False])
def test_the_same_bytes_under_two_labels_stop_it(
    tmp_path: Path, store: Store, *, adding: bool
) -> None:
    source = fill(tmp_path / "one", run__a="A", sit__b="A")
    with pytest.raises(DataError, match=r"under 2 labels: .*b.mp4 \(sit\)"):
        store.plan(source, adding=adding)


def test_empty_files_are_no_twins(tmp_path: Path, store: Store) -> None:
    assert store.add(fill(tmp_path / "one", run__a="", sit__b="", sit__c="C")) == (3, 0, 0)


def test_a_mirror_says_what_is_new_there_twice_and_taken_out(tmp_path: Path, store: Store) -> None:
    source = fill(tmp_path / "one", run__a="A", sit__b="B")
    bring(source, store.raw, store.ledger)
    (source / "run/a.mp4").rename(source / "run/c.mp4")
    fill(source, sit__twin="B")
    plan = store.plan(source, adding=False)
    assert set(plan.put) == {"run/c.mp4", "sit/twin.mp4"}
    assert plan.gone == ["run/a.mp4"]
    assert plan.duplicates == [("sit/twin.mp4", "sit/b.mp4")]
    counts = plan.table().loc[:, ["new", "there", "gone"]]
    assert counts.loc["run"].tolist() == [1, 0, 1]
    assert counts.loc["sit"].tolist() == [1, 1, 0]


def test_the_table_counts_groups_and_splits(tmp_path: Path, store: Store) -> None:
    source = fill(tmp_path / "one", x__a="A", x__b="B", x__c="C")
    (source / "l.csv").write_text(
        "path,label,group,split\nx/a.mp4,run,g1,train\nx/b.mp4,run,g2,val\nx/c.mp4,sit,,\n"
    )
    table = store.plan(source / "l.csv").table()
    wanted = {"groups": 2, "train": 1, "validation": 1, "test": 0, "no split": 0}
    assert table.loc["run", list(wanted)].to_dict() == wanted
    assert table.loc["sit", "no split"] == 1


def test_other_words_for_the_splits_of_the_raw_folder_are_understood(
    tmp_path: Path, store: Store
) -> None:
    fill(store.raw, run__a="A", run__b="B")
    (store.raw / "videos.csv").write_text("path,label,split\nrun/a.mp4,run,val\nrun/b.mp4,run,\n")
    plan = store.plan(fill(tmp_path / "two", sit__c="C"))
    assert [video.split for video in plan.before.values()] == ["validation", None]
    assert plan.table().loc["run", ["validation", "no split"]].tolist() == [1, 1]


def test_a_link_to_a_folder_is_something_that_came_by_another_way(
    tmp_path: Path, store: Store
) -> None:
    fill(tmp_path / "elsewhere", run__a="A")
    store.raw.mkdir(parents=True)
    (store.raw / "run").symlink_to(tmp_path / "elsewhere/run")
    plan = store.plan(fill(tmp_path / "two", sit__c="C"), adding=False)
    assert "holds 1 files that did not come from" in plan.obstacles[0]


def test_missing_files_are_an_obstacle_unless_they_may_be(tmp_path: Path, store: Store) -> None:
    source = fill(tmp_path / "one", x__a="A")
    (source / "l.csv").write_text("path,label\nx/a.mp4,run\nx/b.mp4,run\n")
    with pytest.raises(DataError, match=r"names 1 of 2 files that do not.*`--skip-missing`"):
        store.add(source / "l.csv")
    assert not store.raw.exists()
    found = read_source(source / "l.csv")
    plan = plan_import(found, store.raw, store.ledger, skip_missing=True)
    assert "1 named, but missing: 'x/b.mp4'" in plan.sentences()
    assert store.carry_out(plan) == (1, 0, 0)
    (source / "x/a.mp4").unlink()
    with pytest.raises(DataError, match="names 2 videos, and none is there"):
        plan_import(read_source(source / "l.csv"), store.raw, store.ledger, skip_missing=True)


def test_a_group_that_the_official_split_parts_is_an_obstacle(tmp_path: Path, store: Store) -> None:
    source = fill(tmp_path / "one", x__a="A", x__b="B")
    (source / "l.csv").write_text(
        "path,label,group,split\nx/a.mp4,run,g1,train\nx/b.mp4,run,g1,test\n"
    )
    with pytest.raises(DataError, match=r"official split parts 1 groups \('g1'\)"):
        store.add(source / "l.csv")


def test_a_label_cannot_lead_out_of_the_raw_folder(tmp_path: Path, store: Store) -> None:
    fill(tmp_path / "far", a="A")
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "l.csv").write_text("path,label\n../far/a.mp4,../../../x\n")
    plan = store.plan(lists / "l.csv")
    assert list(plan.put) == ["x/far/a.mp4"]


def test_two_files_that_would_get_one_name_stop_it(tmp_path: Path, store: Store) -> None:
    fill(tmp_path / "far", a="A")
    lists = fill(tmp_path / "lists", run__far__a="B")
    (lists / "l.csv").write_text("path,label\n../far/a.mp4,run\nrun/far/a.mp4,run\n")
    with pytest.raises(DataError, match="would both become"):
        store.plan(lists / "l.csv", adding=False)


def test_nothing_of_which_there_is_no_other_copy_is_taken_out(tmp_path: Path, store: Store) -> None:
    source = fill(tmp_path / "one", run__a="A", sit__b="B", sit__c="C")
    bring(source, store.raw, store.ledger, copy=True)
    shutil.rmtree(source / "run")
    with pytest.raises(DataError, match=r"1 files of .* no other copy \('run/a.mp4'\)"):
        bring(source, store.raw, store.ledger)
    assert "run/a.mp4" in store.names()
    kept = bring(
        source,
        store.raw,
        store.ledger,
        replacing=True,
        kept=lambda path: path.name == "a.mp4",
    )
    assert kept == (0, 2, 1)


def test_names_of_one_file_that_go_together_are_no_copies_of_each_other(tmp_path: Path) -> None:
    fill(tmp_path, a="A", b="B")
    os.link(tmp_path / "a.mp4", tmp_path / "twin.mp4")
    os.link(tmp_path / "b.mp4", tmp_path / "elsewhere")
    names = ["a.mp4", "b.mp4", "twin.mp4"]
    assert only_copies(tmp_path, names, lambda _: False) == ["a.mp4", "twin.mp4"]
    assert only_copies(tmp_path, names[:2], lambda _: False) == []


def test_names_that_are_no_text_are_set_aside(tmp_path: Path, store: Store) -> None:
    source = fill(tmp_path / "one", run__a="A", sit__b="B")
    (source / "run/a.mp4").rename(source / "run" / os.fsdecode(b"\xff.mp4"))
    plan = store.plan(source, Form(group="{name}"))
    assert plan.obstacles == []
    assert list(plan.put) == ["sit/b.mp4"]
    assert r"set aside: run/\udcff.mp4: Its name is not valid UTF-8." in plan.sentences()[-1]


def test_removing_takes_files_rows_and_the_memory_of_them(tmp_path: Path, store: Store) -> None:
    source = fill(tmp_path / "one", run__a="A", run__b__c="C", sit__d="D")
    (source / "videos.csv").write_text(
        "path,label,group\nrun/a.mp4,run,g\nrun/b/c.mp4,run,g\nsit/d.mp4,sit,g\n"
    )
    store.add(source)
    (tmp_path / "unwanted.csv").write_text("file\nrun\\a.mp4\n")
    names = meant(store.raw, ["run/b", str(tmp_path / "unwanted.csv")], Form(path="file"))
    assert names == ["run/a.mp4", "run/b/c.mp4"]
    remove(store.raw, store.ledger, names)
    assert [v.path for v in list_videos(store.raw)] == ["sit/d.mp4"]
    assert store.names() == ["sit/d.mp4"]
    assert "run" not in store.ledger.read_text()


@pytest.mark.parametrize("name", ["run/b.mp4", "../one/run/a.mp4", "/etc/passwd", "videos.csv"])
def test_what_is_not_in_raw_cannot_be_removed(tmp_path: Path, store: Store, name: str) -> None:
    store.add(fill(tmp_path / "one", run__a="A"))
    with pytest.raises(DataError, match="1 of 1 are not in .*Nothing was removed"):
        meant(store.raw, [name])


def test_a_name_like_the_one_to_remove_is_offered(tmp_path: Path, store: Store) -> None:
    store.add(fill(tmp_path / "one", run__aaa="A"))
    with pytest.raises(DataError, match=r"Did you mean `run/aaa.mp4`\?"):
        meant(store.raw, ["run/aab.mp4"])
