"""The stage `register` on a true MLflow, with a model that is only bytes: it is never loaded."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from reelflow.base.errors import DataError, UnavailableError
from reelflow.tracking.pipeline_run import MODEL_HASH
from tasks import register
from tests.conftest import ROOT
from tests.outputs import DATA_HASH, write_outputs
from tests.tasks.registered import mlflow, outputs, runs, versions

__all__ = ["outputs"]  # a fixture

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

WRITES = (
    "create_experiment",
    "create_run",
    "log_batch",
    "log_inputs",
    "log_outputs",
    "log_artifacts",
    "set_tag",
    "set_terminated",
    "create_logged_model",
    "log_model_artifacts",
    "finalize_logged_model",
    "create_registered_model",
    "create_model_version",
    "set_model_version_tag",
    "update_model_version",
    "set_registered_model_alias",
)


def test_one_run_one_version_and_both_aliases(outputs: Path) -> None:
    register.main()
    [version], [run] = versions(), runs()
    assert sorted(version.aliases) == ["challenger", "champion"]
    assert version.run_id == run.info.run_id
    assert version.tags["reelflow.decision"] == "champion"
    reason, *told = version.description.splitlines()
    assert version.tags["reelflow.reason"] == reason
    assert reason == (
        "It beats the 0.33 of a constant answer. balanced_accuracy 0.75 reaches the minimum of "
        "0.5. There was no champion."
    )
    assert [line for line in told if line] == [
        "**Right for 75%**",
        "- The test has only 4 groups.",
        r"- “\<b\>\[x\](y)” is rare.",
        "**The data: fit to learn from, with 1 reservation**",
        "- All are dark.",
    ]
    # MLflow shows them all in a cell of its list; what else there is stands in the run.
    names = ("comparison", "complete", "data_hash", "decision", "model_hash", "reason")
    assert sorted(version.tags) == [f"reelflow.{name}" for name in names]
    assert version.tags["reelflow.complete"] == run.data.tags["reelflow.complete"] == "true"


def test_the_run_tells_params_of_all_sections_the_figures_to_compare_and_files(
    outputs: Path,
) -> None:
    register.main()
    [run] = runs()
    assert {"ingest.workers", "extract.frames", "train.epochs", "register.name"} <= set(
        run.data.params
    )
    compared = {"evaluate/accuracy": 0.75, "evaluate/videos": 6.0}
    assert run.data.metrics == {**compared, "loss": 0.5, "val_loss": 0.75}
    assert "tensorflow 2" in run.data.tags["reelflow.versions"]
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert {
        "reports/index.html",
        "reports/predictions.csv",
        "plots/train.csv",
        "params.yaml",
        "metrics/evaluate.json",
        "data/prepared/test.csv",
        "data/prepared/meta.json",
    } <= there


def test_the_metrics_file_holds_nothing_that_mlflow_numbers(outputs: Path) -> None:
    register.main()
    assert json.loads(Path("metrics/register.json").read_text()) == {
        "name": "reelflow",
        "model_hash": hashlib.sha256(b"a model").hexdigest(),
        "data_hash": DATA_HASH,
        "metric": "balanced_accuracy",
        "value": 0.75,
        "minimum": 0.5,
        "reached_minimum": True,
        "verdict": "better",
    }


def test_the_lock_is_told_without_the_stage_that_runs(outputs: Path) -> None:
    stages = {"train": {"outs": ["x"]}}
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": stages | {"register": {}}}))
    register.main()
    expected = hashlib.sha256(json.dumps(stages, sort_keys=True).encode()).hexdigest()
    assert runs()[0].data.tags["reelflow.dvc_lock"] == expected


def test_a_second_time_registers_nothing_twice(outputs: Path) -> None:
    register.main()
    told = Path("metrics/register.json").read_bytes()
    reason = versions()[0].description
    register.main()
    [version], [_run] = versions(), runs()
    assert version.description == reason
    assert sorted(version.aliases) == ["challenger", "champion"]
    assert Path("metrics/register.json").read_bytes() == told


def test_the_run_that_train_made_is_completed(outputs: Path) -> None:
    client = mlflow()
    experiment = client.create_experiment("reelflow")
    tags = {MODEL_HASH: hashlib.sha256(b"a model").hexdigest()}
    train = client.create_run(experiment, tags=tags)
    client.log_metric(train.info.run_id, "loss", 1.5, step=1)
    register.main()
    [run] = runs()
    assert run.info.run_id == train.info.run_id == versions()[0].run_id
    assert [m.step for m in client.get_metric_history(run.info.run_id, "loss")] == [1, 2]


def test_the_experiment_may_be_another(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "walks")
    register.main()
    assert mlflow().get_experiment_by_name("reelflow") is None
    assert mlflow().get_experiment_by_name("walks") is not None


@pytest.mark.parametrize(
    "missing",
    [
        "models/model.keras",
        "models/model.json",
        "metrics/evaluate.json",
        "plots/train.csv",
        "reports/index.html",
        "data/manifest.parquet",
        "data/prepared/meta.json",
    ],
)
def test_what_is_missing_is_named_before_anything_is_registered(
    outputs: Path, missing: str
) -> None:
    Path(missing).unlink()
    with pytest.raises(DataError, match=f"{missing} is missing: run the stages before"):
        register.main()
    assert versions() == []
    assert mlflow().get_experiment_by_name("reelflow") is None


class KilledError(Exception):
    """Stands for a kill: nothing of ours catches it."""


def die_after(writes: int, patched: pytest.MonkeyPatch) -> None:
    """Let that many writes to MLflow through, and none after them."""
    from mlflow import MlflowClient

    left = writes

    def dying(write: Any) -> Any:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError
            return write(*arguments, **named)

        return wrapped

    for name in WRITES:
        patched.setattr(MlflowClient, name, dying(getattr(MlflowClient, name)))


@pytest.mark.slow
def test_killed_after_any_write_and_run_again_it_is_one_run_and_one_version(
    outputs: Path, mlflow_database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for writes in range(100):
        folder = outputs / str(writes)
        folder.mkdir()
        shutil.copy(outputs / "params.yaml", folder)
        shutil.copy(mlflow_database, folder)
        write_outputs(folder)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        with monkeypatch.context() as patched, contextlib.suppress(KilledError):
            die_after(writes, patched)
            register.main()
        if Path("metrics/register.json").exists():
            break
        register.main()
        [version], [run] = versions(), runs()
        assert sorted(version.aliases) == ["challenger", "champion"]
        assert version.description.startswith(version.tags["reelflow.reason"])
        assert version.tags["reelflow.complete"] == run.data.tags["reelflow.complete"] == "true"
        models = mlflow().search_logged_models([run.info.experiment_id])
        assert [str(model.status) for model in models] == ["READY"]
        assert len(run.inputs.dataset_inputs) == 1
        assert [m.step for m in mlflow().get_metric_history(run.info.run_id, "loss")] == [1, 2]
    assert 20 < writes < 99, "every write was one to be killed after"


@pytest.mark.slow
def test_two_at_once_register_once(outputs: Path) -> None:
    command = [sys.executable, "-m", "tasks.register"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    both = [
        subprocess.Popen(command, cwd=outputs, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=600)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(versions()) == len(runs()) == 1


def test_a_server_that_is_away_is_a_sentence_and_nothing_is_lost(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UnavailableError, match="does not answer.*What was computed is kept"):
        register.main()
    assert Path("models/model.keras").read_bytes() == b"a model"
