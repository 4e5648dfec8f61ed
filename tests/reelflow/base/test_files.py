from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reelflow.base.files import remove_left_over, replacing, write_json, write_text


def test_a_failure_while_writing_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), replacing(target) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_hard_linked_file_is_replaced_not_written_into(tmp_path: Path) -> None:
    # DVC links outputs to its cache: writing in place would change the cache.
    cached, output = tmp_path / "cache", tmp_path / "out"
    cached.write_text("old", encoding="utf-8")
    output.hardlink_to(cached)
    write_text(output, "new")
    assert cached.read_text(encoding="utf-8") == "old"
    assert output.read_text(encoding="utf-8") == "new"


def test_outputs_are_readable_by_others(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").stat().st_mode & stat.S_IRGRP


def test_json_is_sorted_and_refuses_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": 2})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": 2,\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"a": float("nan")})


def test_what_a_killed_process_left_is_removed_and_what_is_being_written_is_not(
    tmp_path: Path,
) -> None:
    killed = (
        "import os, pathlib; from reelflow.base.files import replacing\n"
        f"with replacing(pathlib.Path({str(tmp_path / 'a.txt')!r})): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed], check=False)
    (left,) = tmp_path.glob(".tmp-*")
    (tmp_path / ".tmp-mine").touch()
    with replacing(tmp_path / "b.txt") as being_written:
        remove_left_over(tmp_path)
        assert being_written.exists()
    assert not left.exists()
    assert {path.name for path in tmp_path.iterdir()} == {".tmp-mine", "b.txt"}
