"""What may be read of a folder, told without opening anything."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from reelflow.base.errors import DataError, VideoError
from reelflow.dataset.catalogue import catalogue
from reelflow.dataset.check_cache import CheckCache
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.intake.make_import_plan import plan_import
from reelflow.intake.read_folder_or_csv import list_videos, read_source
from reelflow.intake.same_bytes import Contents, only_copies, same_file
from reelflow.intake.scan_folder import let_through, set_aside
from reelflow.video.process_limits import Bounds
from tests.planted import ODD, plant
from tests.reelflow.intake.bringing import bring

RESERVED = ("dvc.yaml", "*.dvc")


def codes(folder: Path, **options: object) -> dict[str, str]:
    return {each.path: each.code for each in set_aside(folder, **options)}  # type: ignore[arg-type]


def test_each_entry_that_nobody_may_read_is_named(tmp_path: Path) -> None:
    plant(tmp_path / "raw/run/deep", tmp_path / "key")
    plant(tmp_path / "raw/.hidden", tmp_path / "key")
    for name in ("good.mp4", "empty.mp4", ".DS_Store", "new\nline.mp4"):
        (tmp_path / "raw/run" / name).write_text(name[:3])
    (tmp_path / "raw/run/near.mp4").symlink_to("good.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "raw/run/socket"))
        found = codes(tmp_path / "raw", most_bytes=1 << 36, reserved=RESERVED)
    assert found == {
        "run/socket": "not_a_file",
        **{f"run/deep/{name}": code for name, code in ODD.items()},
        **{f".hidden/{name}": code for name, code in ODD.items()},
    }


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert set_aside(tmp_path / "raw") == []


def test_what_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "raw/closed").mkdir(parents=True)
    (tmp_path / "raw/a.mp4").write_text("a")
    true = os.scandir  # whoever runs the tests may be allowed everything

    def refused(folder: str) -> object:
        if folder.endswith("closed"):
            raise PermissionError(13, "Permission denied", folder)
        return true(folder)

    monkeypatch.setattr(os, "scandir", refused)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert codes(tmp_path / "raw") == {"a.mp4": "permission", "closed": "permission"}


def test_videos_below_a_folder_that_is_set_aside_do_not_pass() -> None:
    videos = [LabelledVideo(path, "run") for path in ("run/a/b.mp4", "run/a.mp4", "run/ab/c.mp4")]
    odd = [VideoError("run/a", "outside", "", "")]
    assert [video.path for video in let_through(videos, odd)] == ["run/a.mp4", "run/ab/c.mp4"]


@pytest.mark.parametrize("adding", [False, True])
def test_an_import_sets_aside_what_nobody_may_read_and_brings_the_rest(
    tmp_path: Path, adding: bool
) -> None:
    source, raw = tmp_path / "mine", tmp_path / "raw"
    plant(source / "run", tmp_path / "key")
    (source / "around").symlink_to(".")
    (source / "run/good.mp4").write_text("good")
    plan = plan_import(
        read_source(source), raw, tmp_path / "ledger", adding=adding, most_bytes=1 << 36
    )
    assert set(plan.put) == {"run/good.mp4", "run/dvc.yaml", "run/stages.dvc"}
    assert {each.path for each in plan.aside} == {
        "around",
        *(f"run/{name}" for name, code in ODD.items() if code != "reserved"),
    }
    assert "set aside: around: It is a link to a folder that it lies in. Remove" in str(
        plan.sentences()
    )


def test_an_import_by_csv_sets_aside_its_rows_that_nobody_may_read(tmp_path: Path) -> None:
    source = tmp_path / "mine"
    plant(source, tmp_path / "key")
    (source / "good.mp4").write_text("good")
    rows = "".join(f"{name},run\n" for name in ("good.mp4", "fifo.mp4", "loop.mp4", "far.mp4"))
    (source / "videos.csv").write_text(f"path,label\n{rows}{tmp_path / 'key'},sit\n")
    plan = plan_import(read_source(source), tmp_path / "raw", tmp_path / "ledger")
    assert {each.path for each in plan.aside} == {"fifo.mp4", "loop.mp4", "far.mp4"}
    # What a csv names outside its folder is meant.
    assert [path.name for path in plan.put.values()] == ["key", "good.mp4"]


def test_a_source_of_nothing_else_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "mine/run").mkdir(parents=True)
    os.mkfifo(tmp_path / "mine/run/fifo.mp4")
    with pytest.raises(DataError, match=r"no video that can be used\. run/fifo.mp4: It is a pipe"):
        bring(tmp_path / "mine", tmp_path / "raw", tmp_path / "ledger")


def test_a_csv_that_leads_out_of_its_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/videos.csv").symlink_to("/etc/passwd")
    with pytest.raises(VideoError, match="leads out of the folder"):
        read_source(tmp_path / "mine")


def test_a_csv_may_name_what_is_set_aside_later(tmp_path: Path) -> None:
    plant(tmp_path / "raw", tmp_path / "key")
    (tmp_path / "raw/videos.csv").write_text("path,label\nloop.mp4,run\ngone.mp4,run\n")
    videos = list_videos(tmp_path / "raw")
    assert list(let_through(videos, set_aside(tmp_path / "raw"))) == []


def test_links_and_pipes_in_raw_are_neither_read_nor_copies(tmp_path: Path) -> None:
    plant(tmp_path / "raw", tmp_path / "key")
    names = ["fifo.mp4", "far.mp4", "loop.mp4", "zero.mp4"]
    assert only_copies(tmp_path / "raw", names, lambda path: path.read_bytes() == b"") == []
    contents = Contents()
    for name in names:
        contents.note(name, tmp_path / "raw" / name)
    assert contents.same(tmp_path / "key") == []


@pytest.mark.parametrize("days", [-3, 0, 3])
def test_another_video_of_the_same_size_replaces_the_old_one_whatever_its_time(
    tmp_path: Path, days: int
) -> None:
    source, raw = tmp_path / "mine", tmp_path / "raw"
    (source / "run").mkdir(parents=True)
    video = source / "run/a.mp4"
    video.write_text("old")
    bring(source, raw, tmp_path / "ledger", copy=True)
    seconds = video.stat().st_mtime_ns + days * 86_400 * 10**9 + 1
    video.unlink()
    video.write_text("new")
    os.utime(video, ns=(seconds, seconds))
    bring(source, raw, tmp_path / "ledger", copy=True, replacing=True)
    assert (raw / "run/a.mp4").read_text() == "new"


def test_the_same_bytes_at_another_time_are_no_other_video(tmp_path: Path) -> None:
    for name, at in (("a", 1), ("b", 2)):
        (tmp_path / name).write_text("same")
        os.utime(tmp_path / name, (at, at))
    assert same_file(tmp_path / "a", tmp_path / "b")
    (tmp_path / "c").symlink_to("a")
    assert not same_file(tmp_path / "a", tmp_path / "c")


def test_of_the_same_bytes_the_group_counts_that_is_known_of_one(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in ("1.mp4", "2.mp4"):
        (mine / name).write_text("same")
    (mine / "videos.csv").write_text("path,label,group\n1.mp4,run,\n2.mp4,run,g\n")
    plan = plan_import(read_source(mine), tmp_path / "raw", tmp_path / "ledger", adding=True)
    assert plan.after == {"1.mp4": LabelledVideo("1.mp4", "run", "g")}
    assert plan.changed == []


@pytest.mark.parametrize(
    ("kind", "one", "other"), [("label", "a", "b"), ("group", "g", "h"), ("split", "train", "test")]
)
def test_the_same_bytes_under_two_labels_groups_or_splits_are_refused_everywhere(
    tmp_path: Path, kind: str, one: str, other: str
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for name in ("1.mp4", "2.mp4"):
        (raw / name).write_text("same")
    said = {"label": "run", "group": "", "split": ""}
    rows = [",".join({**said, kind: value}.values()) for value in (one, other)]
    (raw / "videos.csv").write_text(f"path,label,group,split\n1.mp4,{rows[0]}\n2.mp4,{rows[1]}\n")
    with (
        CheckCache(tmp_path / "checks") as cache,
        pytest.raises(DataError, match=rf"2 {kind}s: 1\.mp4 \({one}\) and 2\.mp4 \({other}\)"),
    ):
        catalogue(raw, list_videos(raw), Bounds(), 1, cache)
    for adding in (True, False):
        with pytest.raises(DataError, match=f"2 {kind}s"):
            plan_import(read_source(raw), tmp_path / "other", tmp_path / "l", adding=adding)


def test_an_import_does_not_write_through_a_class_that_is_a_link(tmp_path: Path) -> None:
    mine, more, raw = tmp_path / "mine", tmp_path / "more/walk", tmp_path / "raw"
    for folder, name in ((mine, "a.mp4"), (more, "b.mp4")):
        folder.mkdir(parents=True)
        (folder / name).write_text(name)
    raw.mkdir()
    (raw / "walk").symlink_to(mine)
    plan = plan_import(
        read_source(more.parent), raw, tmp_path / "ledger", adding=True, links_to=(mine,)
    )
    assert [f"{raw / 'walk'} is a link to {mine}" in said for said in plan.obstacles] == [True]
