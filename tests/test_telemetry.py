"""No tool reports home, whichever door a person comes in by. `tests.reports` watches imports.

A run of all stages is watched in tests/test_pipeline.py, a worker's in
tests/flows/test_deployments.py, `reelflow ui` in tests/cli/test_ui.py.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from reelflow.base.telemetry import SWITCHES
from tests.conftest import ROOT
from tests.flows.tiny import STAGES, Tiny
from tests.reports import imported, unguarded, watch


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    (tmp_path / "project").mkdir()
    made = Tiny(tmp_path / "project")
    watch(made)
    return made


@pytest.mark.parametrize("floor", ["reelflow", "tasks", "flows", "cli"])
def test_the_first_import_of_a_floor_switches_all_reports_off(floor: str) -> None:
    script = f"import os, {floor}; print(*sorted(set({list(SWITCHES)}) - set(os.environ)))"
    done = subprocess.run(
        [sys.executable, "-c", script], env={}, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"


def test_what_a_person_has_set_stays() -> None:
    script = "import os, reelflow; print(os.environ['MLFLOW_DISABLE_TELEMETRY'])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"MLFLOW_DISABLE_TELEMETRY": "false"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "false\n"


@pytest.mark.integration
@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-m", "flows.train"),
        (sys.executable, "-m", "flows.retrain"),
        ("reelflow", "retrain"),
    ],
)
def test_a_run_reports_nothing(tiny: Tiny, command: tuple[str, ...]) -> None:
    done = tiny.call(*command)
    assert all((tiny.root / f"{stage}.txt").is_file() for stage in STAGES), done.stdout
    assert "Traceback" not in done.stdout
    assert {"prefect", "dvc"} <= imported(tiny)
    assert unguarded(tiny) == []


def test_an_asked_model_reports_nothing(tiny: Tiny) -> None:
    (tiny.root / "model").mkdir()
    (tiny.root / "model/MLmodel").write_text("flavors: {}\n")
    done = tiny.call("reelflow", "predict", "--model", "model", "x.mp4", check=False)
    assert "model cannot be loaded" in done.stdout
    assert "mlflow" in imported(tiny)
    assert unguarded(tiny) == []


def test_the_files_that_repeat_the_switches_repeat_all_of_them() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    of_tools = {name: value for name, value in SWITCHES.items() if name[:3] != "TF_"}
    assert dict(re.findall(r"^export (\w+) := (\w+)$", makefile, re.MULTILINE)) == of_tools
    settings = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    for deployment in settings["deployments"]:
        assert deployment["work_pool"]["job_variables"]["env"] == of_tools
