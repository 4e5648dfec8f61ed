"""`reelflow predict`: what is printed where, for good files and bad; no model is loaded here."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.options import SETTINGS
from cli.predict import predict
from reelflow.registry import ask_model
from reelflow.registry.ask_model import Answer
from tests.conftest import ROOT

LABELS = ["run", "sit é"]


class Asked:
    """Stands for a loaded model: any file named `bad…` cannot be used."""

    source = "models:/reelflow/3"
    labels = LABELS

    def answer(self, path: str) -> Answer:
        if Path(path).name.startswith("bad"):
            return Answer(path, error="It has no bytes. Copy or record it again.")
        caution = "It is unlike them." if Path(path).name.startswith("odd") else None
        return Answer(path, "sit é", 0.75, {"run": 0.25, "sit é": 0.75}, caution)


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The models that were asked for."""
    seen: list[str] = []

    @contextmanager
    def asking(model: str) -> Iterator[Asked]:
        seen.append(model)
        yield Asked()

    monkeypatch.setattr(ask_model, "asking", asking)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    monkeypatch.chdir(tmp_path)
    return seen


def call(*arguments: str) -> Result:
    app = typer.Typer()
    app.command(context_settings=SETTINGS)(predict)
    return CliRunner().invoke(app, list(arguments))


pytestmark = pytest.mark.usefixtures("asked_for")


def test_the_table_has_a_row_a_file_and_a_column_a_label() -> None:
    result = call("x y.mp4", "z.mp4")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["video", "label", "run", "sit", "é"],
        ["x", "y.mp4", "sit", "é", "0.250", "0.750"],
        ["z.mp4", "sit", "é", "0.250", "0.750"],
        ["by", "models:/reelflow/3"],
    ]


@pytest.mark.parametrize("style", [[], ["--json"], ["--csv"]])
def test_a_bad_file_is_told_after_the_others_were_answered(style: list[str]) -> None:
    result = call(*style, "bad.mp4", "x.mp4")
    assert result.exit_code == 1
    assert "x.mp4" in result.stdout
    assert "sit" in result.stdout
    assert "bad.mp4: It has no bytes. Copy or record it again.\n" in result.stderr


def test_a_folder_stands_for_the_files_below_it(tmp_path: Path) -> None:
    for name in ("set/b/2.mp4", "set/a/1.avi", "set/.hidden/x.mp4", "set/.x.mp4", "set/videos.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "set/pipe.mp4")
    (tmp_path / "set/loop").symlink_to(tmp_path / "set")
    (tmp_path / "set/link.mp4").symlink_to("a/1.avi")
    (tmp_path / "set/astray.mp4").symlink_to("nowhere")
    found = json.loads(call("--json", "y.mp4", "set", "x.mp4").stdout)
    assert [each["path"] for each in found] == [
        "y.mp4",
        "set/a/1.avi",
        "set/b/2.mp4",
        "set/link.mp4",
        "x.mp4",
    ]


def test_a_folder_without_files_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = call("empty")
    assert result.exit_code == 2
    assert "the folder empty holds no files" in result.stderr


def test_what_is_unlike_training_is_answered_with_a_caution() -> None:
    shown = call("odd.mp4", "x.mp4")
    assert shown.exit_code == 0
    assert "odd.mp4: It is unlike them." in shown.stdout
    assert "x.mp4: It" not in shown.stdout
    told = json.loads(call("--json", "odd.mp4", "x.mp4").stdout)
    assert [one["caution"] for one in told] == ["It is unlike them.", None]
    assert ",It is unlike them.," in call("--csv", "odd.mp4").stdout


def test_json_is_one_list() -> None:
    assert json.loads(call("--json", "bad.mp4", "x.mp4").stdout) == [
        {
            "path": "bad.mp4",
            "label": None,
            "confidence": None,
            "probabilities": {},
            "caution": None,
            "error": "It has no bytes. Copy or record it again.",
        },
        {
            "path": "x.mp4",
            "label": "sit é",
            "confidence": 0.75,
            "probabilities": {"run": 0.25, "sit é": 0.75},
            "caution": None,
            "error": None,
        },
    ]


def test_csv_holds_any_name() -> None:
    name = 'a, "b"\nc.mp4'
    rows = list(csv.DictReader(io.StringIO(call("--csv", name, "bad").stdout)))
    assert rows[0] == {
        "path": name,
        "label": "sit é",
        "confidence": "0.75",
        "p_run": "0.25",
        "p_sit é": "0.75",
        "caution": "",
        "error": "",
    }
    assert rows[1]["label"] == ""
    assert rows[1]["error"].startswith("It has no bytes.")


def test_csv_holds_no_formula_and_any_bytes_of_a_name() -> None:
    rows = list(csv.DictReader(io.StringIO(call("--csv", "=1+1.mp4", "-x.mp4").stdout)))
    assert [row["path"] for row in rows] == ["'=1+1.mp4", "'-x.mp4"]
    assert b"\xff.mp4,sit \xc3\xa9,0.75" in call("--csv", os.fsdecode(b"\xff.mp4")).stdout_bytes


def test_a_name_cannot_command_the_terminal_or_break_the_table() -> None:
    result = call("a\nb\x1b[31m [bold].mp4")
    assert r"a\nb\x1b[31m [bold].mp4" in result.stdout


def test_a_name_that_is_no_text_comes_out_as_it_went_in() -> None:
    assert json.loads(call("--json", os.fsdecode(b"\xff.mp4")).stdout)[0]["path"] == "\udcff.mp4"


def test_a_file_may_begin_with_a_dash() -> None:
    assert "-x.mp4" in call("-x.mp4").stdout


def test_a_mistyped_option_is_not_taken_for_a_file() -> None:
    result = call("--jsn", "x.mp4")
    assert result.exit_code == 2
    assert "neither an option nor a file --jsn" in result.stderr


def test_one_style_at_a_time() -> None:
    assert call("--json", "--csv", "x.mp4").exit_code == 2


def test_the_champion_of_the_project_is_asked_by_default(
    asked_for: list[str], tmp_path: Path
) -> None:
    call("x.mp4")
    (tmp_path / "params.yaml").write_text("register:\n  name: walks\n")
    call("x.mp4")
    call("--model", "models:/walks/2", "x.mp4")
    call("--model", "some/folder", "x.mp4")
    assert asked_for == [
        "models:/reelflow@champion",
        "models:/walks@champion",
        "models:/walks/2",
        "some/folder",
    ]


def test_with_many_labels_the_likely_ones_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [f"label{i}" for i in range(20)]
    shares = {label: (20 - i) / 210 for i, label in enumerate(labels)}
    monkeypatch.setattr(Asked, "labels", labels)
    monkeypatch.setattr(Asked, "answer", lambda _, path: Answer(path, "label0", 0.1, shares))
    lines = call("x.mp4").stdout.splitlines()
    assert lines[0].split() == ["video", "label", "probabilities"]
    assert lines[1].split()[2:6] == ["label0", "0.095", "label1", "0.090"]
    assert "label9" not in lines[1]


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, typer; from cli.predict import predict\n"
        "app = typer.Typer(); app.command()(predict)\n"
        "app(['--help'], standalone_mode=False)\n"
        "print({'tensorflow', 'mlflow', 'pandas', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"
