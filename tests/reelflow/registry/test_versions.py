"""Runs and versions in a true MLflow on SQLite: found by content, completed, never doubled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from reelflow.registry import versions
from reelflow.registry.packaging import log_video_model
from reelflow.tracking.mlflow_client import TrackingError, address_from_environment, connect
from reelflow.tracking.pipeline_run import (
    COMPLETE,
    DATA_HASH,
    MODEL_HASH,
    Story,
    complete_run,
    open_run,
)
from tests.outputs import write_outputs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture
def client(mlflow_project: Path):
    write_outputs(mlflow_project)
    return connect(address_from_environment())


@pytest.fixture
def story(mlflow_project: Path) -> Story:
    return Story(
        model_hash="a" * 64,
        data_hash="b" * 64,
        params={"train.network": "cnn", "train.epochs": "2"},
        metrics={"evaluate/accuracy": 0.9},
        epochs=pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]}),
        videos=pd.DataFrame({"path": ["x.mp4"], "label": ["run"], "bytes": [3], "pts": [[0, 1]]}),
        videos_from="data/raw",
        files={"reports/index.html": mlflow_project / "reports/index.html"},
        tags={"mlflow.source.git.commit": "c" * 40},
    )


def log_model(client, run_id: str, story: Story) -> str:
    model, card = Path("models/model.keras"), Path("models/model.json")
    bounds = {"timeout_s": 60.0}
    return log_video_model(
        client, run_id, model, card, bounds=bounds, params=story.params, tags=story.key
    )


def complete(client, story: Story) -> tuple[str, str]:
    run_id = open_run(client, story)
    model_id = log_model(client, run_id, story)
    complete_run(client, run_id, model_id, story)
    return run_id, model_id


def register(client, story: Story):
    run_id, model_id = complete(client, story)
    return versions.create_version(client, "walks", run_id, model_id, story.key)


def test_a_complete_run_tells_everything(client, story: Story) -> None:
    run_id, model_id = complete(client, story)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == story.params
    assert run.data.metrics == {"evaluate/accuracy": 0.9, "loss": 0.25}
    assert run.data.tags[MODEL_HASH] == story.model_hash
    assert run.data.tags[DATA_HASH] == story.data_hash
    assert run.data.tags[COMPLETE] == "true"
    assert run.data.tags["mlflow.source.git.commit"] == "c" * 40
    assert [(m.step, m.value) for m in client.get_metric_history(run_id, "loss")] == [
        (1, 0.5),
        (2, 0.25),
    ]
    [dataset] = [known.dataset for known in run.inputs.dataset_inputs]
    assert (dataset.name, dataset.digest) == ("manifest", "b" * 36)
    assert '"uri": "data/raw"' in dataset.source
    assert '"name": "label"' in dataset.schema
    assert [m.model_id for m in run.outputs.model_outputs] == [model_id]
    assert [file.path for file in client.list_artifacts(run_id, "reports")] == [
        "reports/index.html"
    ]
    [metric] = client.get_logged_model(model_id).metrics
    assert (metric.key, metric.value, metric.dataset_name) == ("evaluate/accuracy", 0.9, "manifest")


def test_the_run_of_train_is_completed_and_its_epochs_are_not_doubled(client, story: Story) -> None:
    experiment = client.create_experiment("reelflow")
    train = client.create_run(experiment, tags={MODEL_HASH: story.model_hash}).info.run_id
    client.log_param(train, "train.epochs", "2")
    client.log_metric(train, "loss", 0.5, step=1, timestamp=77)
    run_id, _ = complete(client, story)
    assert run_id == train
    assert client.get_run(train).info.run_name == "cnn-aaaaaaaa"
    history = client.get_metric_history(train, "loss")
    assert [(m.step, m.value) for m in history] == [(1, 0.5), (2, 0.25)]
    assert history[0].timestamp == 77


def test_doing_it_again_changes_nothing(client, story: Story) -> None:
    first = complete(client, story)
    before = client.get_run(first[0]).data.to_dictionary()
    assert complete(client, story) == first
    assert client.get_run(first[0]).data.to_dictionary() == before
    experiment = client.get_experiment_by_name("reelflow").experiment_id
    assert len(client.search_runs([experiment])) == 1
    assert len(client.search_logged_models([experiment])) == 1
    assert len(client.get_run(first[0]).inputs.dataset_inputs) == 1


def test_a_figure_that_fell_is_shown_as_it_is_now(client, story: Story) -> None:
    run_id, _ = complete(client, story)
    complete(client, replace(story, metrics={"evaluate/accuracy": 0.4}))
    assert client.get_run(run_id).data.metrics["evaluate/accuracy"] == 0.4


@pytest.mark.parametrize(
    "other", [{"params": {"train.epochs": "3"}}, {"data_hash": "d" * 64}, {"model_hash": "e" * 64}]
)
def test_another_pipeline_run_is_another_run(client, story: Story, other: dict) -> None:
    run_id, _ = complete(client, story)
    assert open_run(client, replace(story, **other)) != run_id


def test_what_a_killed_process_left_of_a_model_is_completed(client, story: Story) -> None:
    run_id = open_run(client, story)
    experiment = client.get_run(run_id).info.experiment_id
    left = client.create_logged_model(
        experiment, name="video", source_run_id=run_id, tags=dict(story.key)
    )
    model_id = log_model(client, run_id, story)
    assert model_id == left.model_id, "a new one would leave the files of the old behind"
    known = client.search_logged_models([experiment])
    assert [(m.model_id, str(m.status)) for m in known] == [(model_id, "READY")]
    assert log_model(client, run_id, story) == model_id


def test_a_deleted_experiment_is_a_sentence(client, story: Story) -> None:
    client.delete_experiment(client.create_experiment("reelflow"))
    with pytest.raises(
        TrackingError, match="experiment reelflow is deleted.*mlflow experiments re"
    ):
        open_run(client, story)


def test_a_version_is_found_by_model_and_data_alone(client, story: Story) -> None:
    version = register(client, story)
    found = versions.find_version(client, "walks", story.key)
    assert found.version == version.version
    assert found.run_id == version.run_id
    assert versions.find_version(client, "walks", replace(story, data_hash="9" * 64).key) is None
    assert versions.find_version(client, "runs", story.key) is None


def test_a_version_counts_as_registered_once_it_is_complete(client, story: Story) -> None:
    key = (story.model_hash, story.data_hash)
    assert not versions.registration("walks", *key)
    version = register(client, story)
    assert not versions.registration("walks", *key)
    said = {versions.DECISION: "champion", versions.REASON: "It is good.", COMPLETE: "true"}
    versions.tag_version(client, version, said)
    client.set_registered_model_alias("walks", "champion", version.version)
    found = versions.registration("walks", *key)
    assert (found.version, found.aliases) == (version.version, ["champion"])
    assert found.tags[versions.REASON] == "It is good."
    assert versions.champion(client, "walks").version == version.version


def test_asking_an_empty_folder_makes_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert not versions.registration("walks", "a", "b")
    assert list(tmp_path.iterdir()) == []
