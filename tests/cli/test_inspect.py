"""`reelflow inspect`: what is printed, and with which exit status it ends."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, MakeVideo

MAIN = [sys.executable, "-m", "cli.main", "inspect"]


@pytest.fixture
def folder(tmp_path: Path, make_video: MakeVideo) -> Path:
    make_video(tmp_path / "good.mp4", seconds=2)
    (tmp_path / "text.mp4").write_text("hello", encoding="utf-8")
    return tmp_path


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAIN, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=600,
    )


def test_a_usable_file_is_a_row_and_the_status_is_0(folder: Path) -> None:
    done = call(folder, "good.mp4")
    assert done.returncode == 0
    header, row = [line.split() for line in done.stdout.splitlines()]
    told = dict(zip(header, row, strict=True))
    assert told == {
        "file": "good.mp4",
        "verdict": "usable",
        "container": "mov",
        "codec": "h264",
        "size": "64×48",
        "rate": "10",
        "seconds": "2.00",
        "header": "2.00",
        "frames": "20",
        "whole": "20",
        "turned": "0°",
        "first": "0.00",
        "last": "1.90",
    }


def test_a_folder_stands_for_the_files_below_it(folder: Path) -> None:
    rows = call(folder.parent, folder.name).stdout.splitlines()[1:3]
    names = [f"{folder.name}/good.mp4", f"{folder.name}/text.mp4"]
    assert [row.split()[:2] for row in rows] == [[names[0], "usable"], [names[1], "unreadable"]]


def test_what_is_not_usable_has_its_reason_and_remedy_and_the_status_is_1(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    done = call(folder, "text.mp4", "good.mp4", "absent", "pipe")
    assert done.returncode == 1
    rows = [line.split()[:2] for line in done.stdout.splitlines()[1:5]]
    assert rows == [
        ["text.mp4", "unreadable"],
        ["good.mp4", "usable"],
        ["absent", "missing"],
        ["pipe", "not_a_file"],
    ]
    assert "text.mp4: It is text, no video.\nLeave it out.\n" in done.stdout
    assert "absent: There is no such file.\n" in done.stdout
    assert "Traceback" not in done.stderr


def test_json_is_one_list_in_the_order_asked(folder: Path) -> None:
    done = call(folder, "--json", "text.mp4", "good.mp4")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert [(each["path"], each["usable"]) for each in told] == [
        ("text.mp4", False),
        ("good.mp4", True),
    ]
    assert all(set(each) == set(told[0]) for each in told)


def test_any_name_can_be_asked_for(folder: Path) -> None:
    names = ["-x.mp4", "new\nline\x1b[31m.mp4", os.fsdecode(b"\xff.mp4"), "[bold].mp4"]
    for name in names:
        shutil.copy(folder / "good.mp4", folder / name)
    done = call(folder, *names)
    assert "-x.mp4" in done.stdout
    assert r"new\nline\x1b[31m.mp4" in done.stdout
    assert "[bold].mp4" in done.stdout
    told = json.loads(call(folder, "--json", *names).stdout)
    assert [each["path"] for each in told] == names
    assert [each["code"] for each in told] == [None, None, "name", None]


def test_the_bounds_are_those_of_the_project(folder: Path) -> None:
    (folder / "params.yaml").write_text("ingest:\n  max_file_gb: 1.0e-6\n", encoding="utf-8")
    done = call(folder, "good.mp4")
    assert "raise ingest.max_file_gb" in done.stdout


def test_a_mistyped_option_is_not_taken_for_a_file(folder: Path) -> None:
    done = call(folder, "--jsn", "good.mp4")
    assert done.returncode == 2
    assert "neither an option nor a file --jsn" in done.stderr
