"""A folder below the class in the inbox is a group, wherever the raw folder keeps that."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from reelflow.intake.inbox import InboxReport, take
from reelflow.intake.read_folder_or_csv import list_videos


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    put(tmp_path / "raw/walk/0.mp4", "0")
    return tmp_path / "raw"


def put(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def taken(raw: Path, most_bytes: int = 0) -> InboxReport:
    return take(raw.parent / "inbox", raw, now=time.time() + 3600, most_bytes=most_bytes)


def groups(raw: Path) -> dict[str, str | None]:
    return {video.path: video.group for video in list_videos(raw)}


def test_videos_of_one_camera_stay_together_where_raw_had_no_csv(raw: Path) -> None:
    inbox = raw.parent / "inbox"
    put(inbox / "walk/camera-7/a.mp4", "a")
    put(inbox / "run/camera-7/b.mp4", "b")
    put(inbox / "run/c.mp4", "c")
    taken(raw)
    assert groups(raw) == {
        "run/c.mp4": None,
        "run/camera-7/b.mp4": "camera-7",
        "walk/0.mp4": None,
        "walk/camera-7/a.mp4": "camera-7",
    }
    put(inbox / "run/d.mp4", "d")
    taken(raw)
    assert groups(raw)["run/d.mp4"] is None


def test_without_groups_raw_stays_a_folder_per_class(raw: Path) -> None:
    put(raw.parent / "inbox/walk/a.mp4", "a")
    taken(raw)
    assert not (raw / "videos.csv").exists()


def test_a_name_that_is_no_text_does_not_keep_groups_from_being_written(raw: Path) -> None:
    put(raw / "walk" / os.fsdecode(b"\xff.mp4"), "odd")
    put(raw.parent / "inbox/walk/camera-7/a.mp4", "a")
    taken(raw)
    assert groups(raw) == {"walk/0.mp4": None, "walk/camera-7/a.mp4": "camera-7"}


def test_known_bytes_get_the_group_that_they_lacked(raw: Path) -> None:
    put(raw.parent / "inbox/walk/camera-7/again.mp4", "0")
    assert taken(raw).known == ["walk/camera-7/again.mp4"]
    assert groups(raw) == {"walk/0.mp4": "camera-7"}


def test_the_same_bytes_in_another_group_stay_for_a_person_to_judge(raw: Path) -> None:
    inbox = raw.parent / "inbox"
    put(raw / "videos.csv", "path,label,group\nwalk/0.mp4,walk,camera-1\n")
    put(inbox / "walk/camera-7/again.mp4", "0")
    put(inbox / "walk/again.mp4", "0")
    report = taken(raw)
    assert report.known == ["walk/again.mp4"]
    [(name, why)] = report.left
    assert name == "walk/camera-7/again.mp4"
    assert "also have the group camera-1 (raw/walk/0.mp4" in why


def test_new_bytes_in_two_groups_are_both_left(raw: Path) -> None:
    inbox = raw.parent / "inbox"
    put(inbox / "walk/camera-7/a.mp4", "a")
    put(inbox / "walk/camera-8/a.mp4", "a")
    report = taken(raw)
    assert report.new == []
    assert len(report.left) == 2
    assert "the group camera-8" in dict(report.left)["walk/camera-7/a.mp4"]


def test_what_is_too_large_is_left_unread(raw: Path) -> None:
    sparse = put(raw.parent / "inbox/walk/sparse.mp4", "")
    os.truncate(sparse, 1 << 40)
    [(name, why)] = taken(raw, most_bytes=1 << 36).left
    assert (name, "1024.0 GiB" in why) == ("walk/sparse.mp4", True)


def test_bytes_that_only_a_link_in_raw_leads_to_are_new(raw: Path) -> None:
    (raw / "walk/link.mp4").symlink_to(put(raw.parent / "outside.mp4", "a"))
    put(raw.parent / "inbox/walk/a.mp4", "a")
    assert taken(raw).new == ["walk/a.mp4"]
