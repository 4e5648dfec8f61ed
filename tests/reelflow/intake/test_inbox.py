"""The inbox: once and only once, nothing lost, whatever stands in the way."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from reelflow.base.errors import VideoError
from reelflow.intake.inbox import InboxReport, take


def put(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def settled(inbox: Path, raw: Path, links_to: Sequence[Path] = ()) -> InboxReport:
    """Take as if all files had been lying there for an hour."""
    return take(inbox, raw, now=time.time() + 3600, links_to=links_to)


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def reason(report: InboxReport, name: str) -> str:
    return dict(report.left)[name]


def test_a_new_video_goes_into_its_class_and_leaves_the_inbox(inbox: Path, raw: Path) -> None:
    put(inbox / "walk/a.mp4", "A")
    report = settled(inbox, raw)
    assert report == InboxReport(new=["walk/a.mp4"])
    assert files(raw) == {"walk/a.mp4": "A"}
    assert files(inbox) == {}


def test_a_second_look_takes_nothing(inbox: Path, raw: Path) -> None:
    put(inbox / "walk/a.mp4", "A")
    settled(inbox, raw)
    assert settled(inbox, raw) == InboxReport()
    assert files(raw) == {"walk/a.mp4": "A"}


def test_an_inbox_or_a_raw_folder_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    assert settled(tmp_path / "inbox", tmp_path / "raw") == InboxReport()
    put(tmp_path / "inbox/walk/a.mp4", "A")
    assert settled(tmp_path / "inbox", tmp_path / "raw").new == ["walk/a.mp4"]


def test_known_bytes_under_the_same_label_are_taken_out_whatever_their_name(
    inbox: Path, raw: Path
) -> None:
    put(raw / "walk/a.mp4", "A")
    put(inbox / "walk/again.mp4", "A")
    assert settled(inbox, raw) == InboxReport(known=["walk/again.mp4"])
    assert files(raw) == {"walk/a.mp4": "A"}
    assert files(inbox) == {}


def test_the_same_bytes_twice_in_the_inbox_are_taken_once(inbox: Path, raw: Path) -> None:
    put(inbox / "walk/a.mp4", "A")
    put(inbox / "walk/b.mp4", "A")
    report = settled(inbox, raw)
    assert (report.new, report.known) == (["walk/a.mp4"], ["walk/b.mp4"])
    assert files(raw) == {"walk/a.mp4": "A"}
    assert files(inbox) == {}


def test_known_bytes_under_another_label_stay_with_a_sentence(inbox: Path, raw: Path) -> None:
    put(raw / "walk/a.mp4", "A")
    put(inbox / "run/a.mp4", "A")
    put(inbox / "walk/copy.mp4", "A")
    report = settled(inbox, raw)
    assert (report.new, report.known) == ([], ["walk/copy.mp4"])
    assert "also have the label walk (raw/walk/a.mp4" in reason(report, "run/a.mp4")
    assert files(inbox) == {"run/a.mp4": "A"}
    assert files(raw) == {"walk/a.mp4": "A"}


def test_new_bytes_under_two_labels_both_stay(inbox: Path, raw: Path) -> None:
    put(inbox / "run/a.mp4", "A")
    put(inbox / "walk/a.mp4", "A")
    report = settled(inbox, raw)
    assert "label walk" in reason(report, "run/a.mp4")
    assert "label run" in reason(report, "walk/a.mp4")
    assert files(raw) == {}
    assert len(files(inbox)) == 2


def test_a_name_that_other_bytes_have_gets_a_part_of_the_hash(inbox: Path, raw: Path) -> None:
    put(raw / "walk/a.mp4", "A")
    put(inbox / "walk/a.mp4", "B")
    assert settled(inbox, raw).new == ["walk/a-df7e70e5.mp4"]  # sha256sum of B
    assert files(raw) == {"walk/a.mp4": "A", "walk/a-df7e70e5.mp4": "B"}


def test_a_video_that_may_still_be_growing_waits(inbox: Path, raw: Path) -> None:
    video = put(inbox / "walk/a.mp4", "A")
    assert "may still be growing" in reason(take(inbox, raw, now=time.time()), "walk/a.mp4")
    assert files(raw) == {}
    os.utime(video, (1.0, 1.0))  # an old time kept by a copy does not hide that it came just now
    assert take(inbox, raw, now=time.time()).left


@pytest.mark.parametrize("name", ["a.mp4.part", "a.mp4.crdownload", "a.mp4.tmp", "a.mp4~"])
def test_an_unfinished_download_waits_for_its_final_name(inbox: Path, raw: Path, name: str) -> None:
    put(inbox / "walk" / name, "A")
    assert "unfinished" in reason(settled(inbox, raw), f"walk/{name}")


def test_hidden_files_are_passed_over(inbox: Path, raw: Path) -> None:
    put(inbox / ".gitkeep", "")
    put(inbox / "walk/.DS_Store", "x")
    put(inbox / ".trash/a.mp4", "A")
    assert settled(inbox, raw) == InboxReport()
    assert len(files(inbox)) == 3


def test_what_cannot_be_taken_is_left_with_a_sentence_and_the_rest_goes_on(
    inbox: Path, raw: Path
) -> None:
    put(inbox / "loose.mp4", "L")
    put(inbox / "walk/empty.mp4", "")
    (inbox / "walk/broken.mp4").symlink_to("nothing")
    (inbox / "walk/folder").symlink_to(inbox / "walk")
    os.mkfifo(inbox / "walk/pipe.mp4")
    put(raw / "run", "a file where a class should be")
    put(inbox / "run/a.mp4", "R")
    put(inbox / "walk/good.mp4", "G")
    report = settled(inbox, raw)
    assert report.new == ["walk/good.mp4"]
    assert "lies in no class" in reason(report, "loose.mp4")
    assert "has no bytes" in reason(report, "walk/empty.mp4")
    assert "link to nothing" in reason(report, "walk/broken.mp4")
    assert "link to a folder" in reason(report, "walk/folder")
    assert "is a pipe" in reason(report, "walk/pipe.mp4")
    assert "Mend that" in reason(report, "run/a.mp4")


def test_a_name_that_is_not_utf8_is_left(inbox: Path, raw: Path) -> None:
    put(inbox / "walk" / os.fsdecode(b"caf\xe9.mp4"), "A")
    [(name, why)] = settled(inbox, raw).left
    assert "UTF-8" in why
    name.encode("utf-8")


def test_a_link_is_taken_as_the_bytes_it_leads_to_and_those_stay_where_they_are(
    inbox: Path, raw: Path, tmp_path: Path
) -> None:
    archive = put(tmp_path / "archive/a.mp4", "A")
    (inbox / "walk").mkdir()
    (inbox / "walk/soft.mp4").symlink_to(archive)
    put(tmp_path / "archive/b.mp4", "B")
    os.link(tmp_path / "archive/b.mp4", inbox / "walk/hard.mp4")
    report = settled(inbox, raw, links_to=[archive.parent])
    assert report.new == ["walk/hard.mp4", "walk/soft.mp4"]
    archive.write_text("changed later")
    (tmp_path / "archive/b.mp4").write_text("changed later")
    assert files(raw) == {"walk/hard.mp4": "B", "walk/soft.mp4": "A"}
    assert files(inbox) == {}


def test_a_link_that_leads_out_is_left_unless_its_folder_is_allowed(
    inbox: Path, raw: Path, tmp_path: Path
) -> None:
    put(inbox / "walk/a.mp4", "A")
    (inbox / "walk/out.mp4").symlink_to(put(tmp_path / "private/a.mp4", "secret"))
    (inbox / "walk/in.mp4").symlink_to("a.mp4")
    report = settled(inbox, raw)
    [(name, why)] = report.left
    assert name == "walk/out.mp4"
    assert "leads out" in why
    assert "ingest.links_to" in why
    assert "secret" not in files(raw).values()


def no_link(*_: object) -> None:
    raise OSError(errno.EXDEV, "Invalid cross-device link")


def test_where_the_disk_cannot_link_the_bytes_are_copied(
    inbox: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_link)
    put(inbox / "walk/a.mp4", "A")
    assert settled(inbox, raw).new == ["walk/a.mp4"]
    assert files(raw) == {"walk/a.mp4": "A"}
    assert files(inbox) == {}


def test_a_full_disk_stops_and_loses_nothing(
    inbox: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    put(inbox / "walk/a.mp4", "A")
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", no_room)
        patched.setattr(shutil, "copyfile", no_room)
        with pytest.raises(OSError, match="No space left"):
            settled(inbox, raw)
    assert files(raw) == {}
    assert settled(inbox, raw).new == ["walk/a.mp4"]


def test_a_video_that_changes_while_it_is_taken_stays_whole_in_the_inbox(
    inbox: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def grow_and_link(source: Path, target: Path) -> None:
        link(source, target)
        with source.open("a") as file:
            file.write("more")

    monkeypatch.setattr(os, "link", grow_and_link)
    put(inbox / "walk/a.mp4", "A")
    assert "changed while it was read" in reason(settled(inbox, raw), "walk/a.mp4")
    assert files(raw) == {}
    assert files(inbox) == {"walk/a.mp4": "Amore"}


def test_beside_a_file_in_raw_that_cannot_be_read_nothing_of_its_size_is_taken(
    inbox: Path, raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(path: Path) -> str:
        raise VideoError(str(path), "permission", "It may not be read.", "Allow it.")

    monkeypatch.setattr("reelflow.intake.same_bytes.hash_file", unreadable)
    put(raw / "walk/a.mp4", "A")
    put(inbox / "walk/b.mp4", "A")
    put(inbox / "walk/c.mp4", "C")
    put(inbox / "walk/d.mp4", "of another size")
    report = settled(inbox, raw)
    assert report.new == ["walk/d.mp4"]
    assert report.left == [(f"walk/{n}.mp4", "It may not be read. Allow it.") for n in "bc"]


def test_read_only_files_in_raw_keep_their_bytes_and_their_inode(inbox: Path, raw: Path) -> None:
    cached = put(raw / "walk/a.mp4", "A")
    cached.chmod(0o444)
    before = cached.stat()
    put(inbox / "walk/a.mp4", "B")
    put(inbox / "walk/same.mp4", "A")
    settled(inbox, raw)
    after = cached.stat()
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (
        before.st_ino,
        before.st_mode,
        before.st_mtime_ns,
    )


def test_nothing_is_written_through_a_class_that_is_a_link(
    inbox: Path, raw: Path, tmp_path: Path
) -> None:
    mine = put(tmp_path / "mine/b.mp4", "B").parent
    (raw / "walk").symlink_to(mine)
    put(inbox / "walk/a.mp4", "A")
    put(inbox / "run/c.mp4", "C")
    report = settled(inbox, raw, (mine,))
    assert report.new == ["run/c.mp4"]
    assert "walk is a link to a folder" in reason(report, "walk/a.mp4")
    assert files(mine) == {"b.mp4": "B"}
    assert files(inbox) == {"walk/a.mp4": "A"}
