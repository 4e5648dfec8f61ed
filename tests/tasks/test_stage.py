"""What a stage says at its end: each error is a sentence, none is without a trace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reelflow.base.errors import UnavailableError
from tasks.common import error_to_sentence, stage
from tests.conftest import ROOT


def test_an_error_that_nobody_foresaw_is_a_sentence_and_its_traceback_is_kept(
    project: Path,
) -> None:
    def work() -> None:
        raise ValueError("lost\ncolumn")

    with pytest.raises(SystemExit) as caught:
        stage.run("train", work)
    said = str(caught.value)
    assert said.startswith(
        "train: error: Reelflow did not expect this error: ValueError: lost. Its"
    )
    log = project / ".reelflow/errors.log"
    assert str(log) in said
    assert "Traceback" in log.read_text()
    assert 'raise ValueError("lost\\ncolumn")' in log.read_text()


def test_an_error_of_the_system_that_nobody_foresaw_is_one_too(project: Path) -> None:
    def work() -> None:
        raise OSError(5, "Input/output error", "a.npy")

    with pytest.raises(SystemExit, match=r"\[Errno 5\] Input/output error: 'a.npy'"):
        stage.run("extract", work)
    assert "Traceback" in (project / ".reelflow/errors.log").read_text()


def test_a_missing_right_is_not_said_to_be_one_to_write(project: Path) -> None:
    said = error_to_sentence.sentence(PermissionError(13, "Permission denied", "data/raw/a.mp4"))
    assert said.startswith("Permission denied (data/raw/a.mp4). Give this user the right to it")


def test_where_nothing_can_be_written_the_traceback_is_printed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".reelflow").write_text("no folder")
    assert "stands above" in error_to_sentence.sentence(ValueError("seven"))
    assert "ValueError: seven" in capsys.readouterr().err


def test_a_disk_that_is_full_at_the_very_end_is_a_sentence(project: Path) -> None:
    (project / ".reelflow").mkdir()
    (project / ".reelflow/timings.jsonl").symlink_to("/dev/full")
    with pytest.raises(SystemExit, match="train: error: the disk is full"):
        stage.run("train", lambda: None)


def test_what_may_pass_by_itself_has_a_status_of_its_own(project: Path) -> None:
    def work() -> None:
        raise UnavailableError("MLflow does not answer.")

    with pytest.raises(SystemExit) as caught:
        stage.run("register", work)
    assert caught.value.code == stage.TRY_AGAIN


def test_a_crash_in_a_library_says_where_it_was(project: Path) -> None:
    script = "from tasks.common.stage import run; import os; run('train', os.abort)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == -6
    assert "Fatal Python error: Aborted" in done.stderr
    assert "in run" in done.stderr
