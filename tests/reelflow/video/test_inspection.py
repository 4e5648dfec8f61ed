"""What is said of any path; the verdicts on real files stand in zoo.csv (test_zoo)."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from reelflow.video.inspection import Inspection, inspect
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo

BOUNDS = Bounds(timeout_s=9)


def look(path: Path) -> Inspection:
    found = inspect(str(path), BOUNDS)
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.path == str(path)
    assert found.usable == (found.to_dict()["code"] is None) == (found.remedy == "")
    return found


def code(path: Path) -> str:
    return str(look(path).to_dict()["code"])


def test_a_good_video_is_told_whole(tmp_path: Path, make_video: MakeVideo) -> None:
    path = make_video(tmp_path / "a.mp4", seconds=2, size="96x64")
    told = look(path).to_dict()
    assert told["usable"]
    assert (told["container"], told["codec"], told["pixel_format"]) == (
        "mov,mp4,m4a,3gp,3g2,mj2",
        "h264",
        "yuv420p",
    )
    assert (told["width"], told["height"], told["rotation"]) == (96, 64, 0)
    assert (told["frames"], told["intact"], told["fps"]) == (20, 20, 10)
    assert (told["first"], told["last"]) == (0, 1.9)
    assert told["duration"] == told["header_duration"] == 2
    assert told["bytes"] == path.stat().st_size


def test_a_header_that_lies_is_seen_beside_what_is_there(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mkv", seconds=3, size="160x120")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    told = look(path).to_dict()
    assert told["code"] == "damaged"
    assert told["header_duration"] == 3
    assert 0 < told["intact"] < 16 < told["frames"]


def test_any_path_has_an_answer(tmp_path: Path, make_video: MakeVideo) -> None:
    (tmp_path / "text").write_text("hello, ü", encoding="utf-8")
    (tmp_path / "empty").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to(make_video(tmp_path / "a.mp4"))
    os.mkfifo(tmp_path / "fifo")
    assert code(tmp_path) == "not_a_file"
    assert code(Path("/")) == "not_a_file"
    assert code(Path("/dev/zero")) == "not_a_file"
    assert code(tmp_path / "fifo") == "not_a_file"
    assert code(tmp_path / "absent") == "missing"
    assert code(tmp_path / "text" / "below") == "unreadable"
    assert code(tmp_path / ("x" * 300)) == "unreadable"
    assert code(tmp_path / "loop") == "unreadable"
    assert code(tmp_path / "empty") == "empty"
    assert code(Path("/proc/self/status")) == "empty"
    assert look(tmp_path / "link").usable
    assert inspect("", BOUNDS).to_dict()["code"] in ("missing", "not_a_file")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        assert code(tmp_path / "socket") == "not_a_file"
    said = look(tmp_path / "text").to_dict()
    assert (said["code"], said["reason"]) == ("unreadable", "It is text, no video.")


def test_a_file_that_may_not_be_read_can_be_allowed(
    tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "-a b.mp4")
    path.chmod(0)
    _as_another_user(monkeypatch, path)
    found = look(path)
    assert found.to_dict()["code"] == "permission"
    assert shlex.split(found.repair) == ["chmod", "+r", "--", str(path)]
    subprocess.run(found.repair, shell=True, check=True)
    assert look(path).usable


def _as_another_user(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """The superuser may read everything, and tests may run as such: refuse as the kernel would."""
    really = os.open

    def obeying(name: str | Path, flags: int, mode: int = 0o777) -> int:
        if Path(name) == path and not path.stat().st_mode & 0o444:
            raise PermissionError(13, "Permission denied", str(path))
        return really(name, flags, mode)

    monkeypatch.setattr(os, "open", obeying)


@pytest.mark.parametrize("name", ["a b'c.mkv", "-i.mkv", "a:b.mkv", "$(x).mkv"])
def test_the_repair_that_is_offered_works_as_it_stands(
    name: str, tmp_path: Path, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = make_video(tmp_path / "whole.mkv", seconds=3, size="160x120").read_bytes()
    Path(name).write_bytes(whole[: len(whole) * 7 // 10])
    found = inspect(name, BOUNDS)
    assert found.repair in found.remedy
    subprocess.run(found.repair, shell=True, check=True, stderr=subprocess.PIPE, timeout=600)
    repaired = look(Path(f"{Path(name).stem}-repaired.mkv"))
    assert repaired.usable
    assert repaired.to_dict()["frames"] == found.to_dict()["intact"]


def test_a_name_that_no_table_can_hold_is_told_with_the_video(
    tmp_path: Path, make_video: MakeVideo
) -> None:
    path = make_video(tmp_path / "a.mp4")
    odd = tmp_path / os.fsdecode(b"\xff.mp4")
    shutil.move(path, odd)
    told = look(odd).to_dict()
    assert (told["code"], told["frames"]) == ("name", 10)
