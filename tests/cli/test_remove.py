"""`reelflow remove` takes the names of files in the form in which it prints them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.flows.tiny import Tiny

NAMES = [
    "a b.mp4",
    "it's.mp4",
    'quo"te.mp4',
    r"back\d.mp4",
    "screen\u202fshot.mov",
    "new\nline.mp4",
    "esc\x1b[31m.mp4",
    "~who.mp4",
    "-dash.mp4",
    "=sum.mp4",
    "[bold].mp4",
    "é.mp4",
]


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    made = tmp_path / "project"
    made.mkdir()
    return Tiny(made)


def remove(tiny: Tiny, *arguments: str) -> str:
    return tiny.call(sys.executable, "-m", "cli.main", "remove", *arguments, check=False).stdout


def test_the_names_that_it_prints_it_takes(tiny: Tiny) -> None:
    raw = tiny.root / "data/raw"
    for folder in ("x", "~x", "."):
        for name in NAMES:
            (raw / folder).mkdir(exist_ok=True)
            (raw / folder / name).write_text(f"{folder}{name}")
    count = 3 * len(NAMES) + 1
    whole = [f"data/raw/{path.name}" for path in raw.iterdir()]
    printed = remove(tiny, "--dry-run", "--force", *whole).splitlines()
    names = [line.removeprefix("would be removed: ") for line in printed]
    assert len(names) == count, printed
    assert remove(tiny, "--dry-run", "--force", *names).splitlines() == printed
    assert f"Removed {count} files" in remove(tiny, "--force", *names)
    assert [path for path in raw.rglob("*") if path.is_file()] == []


def test_what_it_suggests_it_takes(tiny: Tiny) -> None:
    name = r"back\d \w.mp4"
    (tiny.root / "data/raw/x" / name).write_text("b\n")
    said = remove(tiny, "--dry-run", "x/back_d _w.mp4")
    assert f"Did you mean `x/{name}`?" in said
    assert f"There is no other copy of 1 of these files ('x/{name}')" in remove(tiny, f"x/{name}")


def test_a_mistyped_option_is_not_taken_for_a_file(tiny: Tiny) -> None:
    assert "neither an option nor a file --dryrun" in remove(tiny, "--dryrun", "x/a.mp4")
