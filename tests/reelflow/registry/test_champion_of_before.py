"""A champion that earlier code registered answers as it did then.

`champion_of_before.zip` holds a model as commit 644ac0c registered it, when all of `reelflow/` lay
in one folder and a network's settings had no names of their own; a video of the sample; and the
probabilities that `evaluate` then wrote for it.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from reelflow.tracking.mlflow_client import connect
from tests.folder import Folder

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

BEFORE = Path(__file__).with_name("champion_of_before.zip")


def register(model: Path, address: str) -> None:
    """What MLflow then had: a run, its logged model, a version, and the alias."""
    from mlflow.entities import LoggedModelStatus

    client = connect(address)
    experiment = client.create_experiment("reelflow")
    run = client.create_run(experiment)
    logged = client.create_logged_model(
        experiment, name="video", source_run_id=run.info.run_id, model_type="classifier"
    )
    client.log_model_artifacts(logged.model_id, str(model))
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    client.create_registered_model("reelflow")
    version = client.create_model_version(
        "reelflow", logged.model_uri, run.info.run_id, model_id=logged.model_id
    )
    client.set_registered_model_alias("reelflow", "champion", version.version)


def test_a_champion_that_code_before_the_rooms_registered_answers_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(BEFORE) as archive:
        archive.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)
    register(tmp_path / "model", "sqlite:///mlflow.db")
    # `mlflow.db` in the top folder of a project is found without an address.
    said = Folder(tmp_path).call("reelflow", "predict", "--json", "video.mp4").stdout
    (answer,) = json.loads(said)
    then = json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))
    assert answer["label"] == then.pop("predicted")
    now = {f"p_{label}": p for label, p in answer["probabilities"].items()}
    # Another processor adds in another order.
    assert now == pytest.approx(then, abs=1e-4)
