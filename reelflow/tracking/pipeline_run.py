"""One MLflow run records a whole pipeline run: params, metrics, curves, data, files, commit.

The run is found by content (the tag `reelflow.model_hash`), not by its id. Each step adds only what
is missing, so that after a killed process, a lost server or a second call there is still one run.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from reelflow.base.nested import flatten
from reelflow.tracking.mlflow_client import experiment_from_environment

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, Run

MODEL_HASH = "reelflow.model_hash"
DATA_HASH = "reelflow.data_hash"
COMPLETE = "reelflow.complete"

_DIGEST_LENGTH = 36  # characters, the most that MLflow takes


@dataclass(frozen=True)
class Story:
    """All that MLflow records of a pipeline run, as values.

    Attributes:
        model_hash: SHA-256 of the model's file.
        data_hash: of splits, labels and clip.
        params: name to text, for example `train.epochs` to `30`.
        metrics: name to number, for example `evaluate/accuracy`.
        epochs: a row an epoch: `epoch` and a column a metric.
        videos: the manifest.
        videos_from: where the videos lie, a path or an address.
        files: a name in the run's artifacts to a file.
        tags: further facts, for example the commit.
    """

    model_hash: str
    data_hash: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    epochs: pd.DataFrame
    videos: pd.DataFrame
    videos_from: str
    files: Mapping[str, Path]
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> dict[str, str]:
        """The tags by which a version, and the model of a run, are found again."""
        return {MODEL_HASH: self.model_hash, DATA_HASH: self.data_hash}


def open_run(client: MlflowClient, story: Story) -> str:
    """The id of the run for the story: the one that `train` made, or a new one.

    A run with other params or data is another pipeline run, and stays as it is.
    """
    place = experiment_from_environment(client)
    known = client.search_runs(
        [place],
        filter_string=f"tags.`{MODEL_HASH}` = '{story.model_hash}'",
        order_by=["attributes.start_time DESC"],
    )
    for run in sorted(known, key=lambda run: COMPLETE not in run.data.tags):
        if _fits(run, story):
            return str(run.info.run_id)
    return str(client.create_run(place, tags={MODEL_HASH: story.model_hash}).info.run_id)


def complete_run(client: MlflowClient, run_id: str, model_id: str, story: Story) -> None:
    """Add to the run what it lacks of the story; its metrics also to the logged model."""
    from mlflow.entities import DatasetInput, InputTag

    run = client.get_run(run_id)
    add_missing(client, run_id, story.params, story.epochs.set_index("epoch").to_dict())
    dataset = _dataset(story)
    context = [InputTag("mlflow.data.context", "training")]
    client.log_inputs(run_id, [DatasetInput(dataset, context)])  # a known one stays as it is
    _add_metrics(client, run, model_id, dataset, story.metrics)
    with tempfile.TemporaryDirectory(prefix="reelflow-") as scratch:
        for name, file in story.files.items():
            target = Path(scratch) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        client.log_artifacts(run_id, scratch)
    if run.info.status != "FINISHED":
        client.set_terminated(run_id)
    tags = {
        **story.tags,
        "mlflow.runName": f"{story.params.get('train.network', 'model')}-{story.model_hash[:8]}",
        "mlflow.source.name": "reelflow",
        "mlflow.source.type": "LOCAL",
        DATA_HASH: story.data_hash,
        COMPLETE: "true",
    }
    for name, value in tags.items():
        client.set_tag(run_id, name, value)


def add_missing(
    client: MlflowClient,
    run_id: str,
    params: Mapping[str, Any],
    metrics: Mapping[Any, Mapping[int, float]],
) -> None:
    """Log what a run lacks: params, nested or flat, and the steps of metrics, by name."""
    from mlflow.entities import Metric, Param

    had, now = client.get_run(run_id).data.params, int(time.time() * 1000)
    news = [Param(name, str(v)) for name, v in flatten(params).items() if name not in had]
    steps = []
    for name, values in metrics.items():
        logged = {metric.step for metric in client.get_metric_history(run_id, name)}
        steps += [Metric(name, float(v), now, int(s)) for s, v in values.items() if s not in logged]
    client.log_batch(run_id, steps, news)


def _fits(run: Run, story: Story) -> bool:
    params = run.data.params
    return run.data.tags.get(DATA_HASH, story.data_hash) == story.data_hash and all(
        params.get(name, value) == value for name, value in story.params.items()
    )


def _dataset(story: Story) -> Dataset:
    import mlflow.data
    from mlflow.entities import Dataset

    # `pts` holds lists, for which the schema of a dataset has no type.
    videos = story.videos.drop(columns="pts", errors="ignore")
    with warnings.catch_warnings():
        # Two kinds of source of MLflow accept a local path; both record the same.
        warnings.filterwarnings("ignore", message="The specified dataset source can be")
        # Integer columns cannot hold a missing value; ours have none.
        warnings.filterwarnings("ignore", message=".*integer column")
        dataset = mlflow.data.from_pandas(
            videos,
            source=story.videos_from,
            name="manifest",
            digest=story.data_hash[:_DIGEST_LENGTH],
            targets="label",
        )
        return Dataset(**{name: text for name, text in dataset.to_dict().items() if text})


def _add_metrics(
    client: MlflowClient, run: Run, model_id: str, dataset: Dataset, metrics: Mapping[str, float]
) -> None:
    import mlflow

    of_model = {m.key: m.value for m in client.get_logged_model(model_id).metrics or []}
    of_run = run.data.metrics
    news = {
        name: value
        for name, value in metrics.items()
        if of_model.get(name) != value or of_run.get(name) != value
    }
    if news:
        mlflow.log_metrics(news, run_id=run.info.run_id, model_id=model_id, dataset=dataset)
