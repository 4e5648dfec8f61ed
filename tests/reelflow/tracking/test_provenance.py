"""Commit, lock and versions, against git itself."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest

from reelflow.tracking.provenance import commit_tags, lock_hash, versions

OUTPUTS = ("dvc.lock", "metrics")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "reelflow").mkdir()
    (tmp_path / "reelflow/net.py").write_text("x = 1\n")
    (tmp_path / "dvc.lock").write_text("old\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "first")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_clean_checkout_is_its_commit(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD").strip()
    expected = {"mlflow.source.git.commit": head, "reelflow.git_dirty": "false"}
    assert commit_tags(repository, OUTPUTS) == expected


def test_a_changed_or_a_new_module_makes_it_dirty(repository: Path) -> None:
    (repository / "reelflow/new net.py").write_text("x = 3\n")
    assert commit_tags(repository, OUTPUTS)["reelflow.git_dirty"] == "true"
    (repository / "reelflow/new net.py").unlink()
    (repository / "reelflow/net.py").write_text("x = 2\n")
    assert commit_tags(repository, OUTPUTS)["reelflow.git_dirty"] == "true"


def test_outputs_of_a_run_and_notes_do_not_make_it_dirty(repository: Path) -> None:
    (repository / "dvc.lock").write_text("new\n")
    (repository / "metrics").mkdir()
    (repository / "metrics/train.json").write_text("{}")
    (repository / "thoughts.txt").write_text("hm")
    assert commit_tags(repository, OUTPUTS)["reelflow.git_dirty"] == "false"


def test_outside_git_and_before_a_commit_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_tags(tmp_path, OUTPUTS) == {}
    git(tmp_path, "init", "-q")
    assert commit_tags(tmp_path, OUTPUTS) == {}


def test_the_lock_without_the_stage_that_asks_is_the_same_before_and_after_it_ran(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "dvc.lock"
    assert lock_hash(lock, without="register") is None
    lock.write_text("schema: '2.0'\nstages:\n  train:\n    outs: [a]\n")
    before = lock_hash(lock, without="register")
    lock.write_text("schema: '2.0'\nstages:\n  register:\n    outs: [b]\n  train:\n    outs: [a]\n")
    assert lock_hash(lock, without="register") == before
    lock.write_text("schema: '2.0'\nstages:\n  train:\n    outs: [c]\n")
    assert lock_hash(lock, without="register") != before


def test_versions_name_what_a_result_can_hang_on() -> None:
    known = versions()
    assert known["python"] == platform.python_version()
    assert {"tensorflow", "keras", "reelflow"} <= set(known)
