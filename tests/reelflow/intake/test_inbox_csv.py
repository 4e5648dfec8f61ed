"""The inbox beside a `videos.csv` of the raw folder: what is taken gets its row."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from reelflow.base.errors import DataError
from reelflow.intake.read_folder_or_csv import list_videos
from tests.reelflow.intake.test_inbox import files, put, reason, settled


@pytest.fixture
def listed(raw: Path) -> Path:
    put(raw / "clips/1.mp4", "A")
    put(raw / "videos.csv", "path,label,note\nclips/1.mp4,walk,first\n")
    return raw


def rows(raw: Path) -> list[dict[str, str]]:
    with (raw / "videos.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_gets_a_row_with_label_and_group_and_keeps_what_it_had(
    inbox: Path, listed: Path
) -> None:
    (listed / "videos.csv").chmod(0o444)  # as DVC leaves it, linked into its cache
    cached = listed.parent / "cache"
    os.link(listed / "videos.csv", cached)
    put(inbox / "run/cam1/b.mp4", "B")
    settled(inbox, listed)
    assert rows(listed) == [
        {"path": "clips/1.mp4", "label": "walk", "group": "", "split": "", "note": "first"},
        {"path": "run/cam1/b.mp4", "label": "run", "group": "cam1", "split": "", "note": ""},
    ]
    assert cached.read_text() == "path,label,note\nclips/1.mp4,walk,first\n"
    found = {video.path: (video.label, video.group) for video in list_videos(listed)}
    assert found["run/cam1/b.mp4"] == ("run", "cam1")


def test_labels_of_known_bytes_come_from_the_csv_not_from_folders(
    inbox: Path, listed: Path
) -> None:
    put(inbox / "walk/again.mp4", "A")
    put(inbox / "clips/again.mp4", "A")
    report = settled(inbox, listed)
    assert report.known == ["walk/again.mp4"]
    assert "label walk" in reason(report, "clips/again.mp4")


def test_a_csv_without_labels_is_refused(inbox: Path, raw: Path) -> None:
    put(raw / "videos.csv", "file\nx\n")
    put(inbox / "walk/a.mp4", "A")
    with pytest.raises(DataError, match="lacks the column path; it has file"):
        settled(inbox, raw)
    assert files(inbox) == {"walk/a.mp4": "A"}


def test_a_csv_of_another_program_gets_its_row_too(inbox: Path, raw: Path) -> None:
    put(raw / "cam/a.mp4", "A")
    put(raw / "videos.csv", "path;label;note\ncam\\a.mp4;walk;x, y\n")
    put(inbox / "run/b.mp4", "B")
    put(inbox / "walk/twin.mp4", "A")
    report = settled(inbox, raw)
    assert (report.new, report.known) == (["run/b.mp4"], ["walk/twin.mp4"])
    assert [v.path for v in list_videos(raw)] == ["cam/a.mp4", "run/b.mp4"]
