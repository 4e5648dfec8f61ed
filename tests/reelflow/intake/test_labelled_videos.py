from __future__ import annotations

import logging
from pathlib import Path

import pytest

from reelflow.base.errors import DataError
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.intake.read_folder_or_csv import list_videos


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def csv(root: Path, text: str) -> None:
    (root / "videos.csv").write_text(text, encoding="utf-8")


def test_a_folder_per_class_gives_labels_at_any_depth_and_with_any_name(tmp_path: Path) -> None:
    touch(tmp_path, "run/a.mp4", "run/cam1/b", "sit/c.weird", "sit/.DS_Store", "README.md")
    assert list_videos(tmp_path) == [
        LabelledVideo("run/a.mp4", "run"),
        LabelledVideo("run/cam1/b", "run"),
        LabelledVideo("sit/c.weird", "sit"),
    ]


def test_a_csv_gives_labels_groups_and_splits(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.mp4", "b.mp4", "unlisted.mp4")
    csv(tmp_path, "path,label,group,split,note\nx/a.mp4,run,g1,test,hm\nb.mp4,sit,,,\n")
    assert list_videos(tmp_path) == [
        LabelledVideo("b.mp4", "sit"),
        LabelledVideo("x/a.mp4", "run", "g1", "test"),
    ]


def test_files_that_a_csv_does_not_name_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    touch(tmp_path, "a.mp4", "forgotten.mp4")
    csv(tmp_path, "path,label\na.mp4,run\n")
    with caplog.at_level(logging.WARNING):
        list_videos(tmp_path)
    assert "forgotten.mp4" in caplog.text


def test_a_pattern_reads_the_group_where_none_is_given(tmp_path: Path) -> None:
    touch(tmp_path, "bend/v_Bend_g03_c01.avi", "bend/other.avi")
    groups = [v.group for v in list_videos(tmp_path, r"_(?P<group>g\d+)_")]
    assert groups == [None, "g03"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path\na.mp4\n", "lacks the column label"),
        ("path,label\na.mp4,\n", "rows without a path or a label"),
        ("path,label\nb.mp4,run\n", "names 1 of 1 files that do not exist"),
        ("path,label\na.mp4,run\na.mp4,sit\n", "a.mp4 twice"),
        ("path,label,split\na.mp4,run,train1\n", "'train1'; say what it means"),
        ("path,label\n/etc/passwd,run\n", "outside its folder"),
        ("path,label\n../a.mp4,run\n", "outside its folder"),
        ("", "cannot be read as a csv"),
        ("path,label\n", "holds no labelled videos"),
    ],
)
def test_a_csv_that_cannot_be_used_is_refused_in_a_sentence(
    tmp_path: Path, text: str, says: str
) -> None:
    touch(tmp_path, "a.mp4")
    csv(tmp_path, text)
    with pytest.raises(DataError) as error:
        list_videos(tmp_path)
    assert says in str(error.value)


def test_an_empty_or_missing_folder_is_refused_with_the_layout_that_is_wanted(
    tmp_path: Path,
) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataError, match="a folder per class"):
            list_videos(folder)
