"""One MLflow run records a cross-validation or a trial of a search: settings, figures, files.

The run is found again by what was judged (the tag `reelflow.judged`), so that the same work that is
done or asked for twice is one run.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelflow.base.errors import ReelflowError
from reelflow.tracking.mlflow_client import client_from_environment, experiment_from_environment
from reelflow.tracking.pipeline_run import add_missing

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

JUDGED = "reelflow.judged"
_PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class Judgement:
    """What is recorded.

    Attributes:
        key: by which the run is found again.
        name: of the run, for people.
        params: name to value, nested or flat.
        metrics: name to number.
        steps: metrics that have a value each fold or trial, in this order.
        files: they become artifacts.
        parent: id of the run that this one is nested in; empty for none.
        status: `FINISHED`, or `KILLED` for one that was pruned.
    """

    key: str
    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    steps: Mapping[str, Iterable[float]] = field(default_factory=dict)
    files: Iterable[Path] = ()
    parent: str = ""
    status: str = "FINISHED"


def try_record(judged: Judgement) -> str:
    """Write the run in the MLflow of the environment, or what a former one with the key lacks;
    returns its id. An MLflow that is lost costs a warning: no id then."""
    try:
        with client_from_environment() as client:
            run_id = _run(client, experiment_from_environment(client), judged)
            metrics = {name: {0: value} for name, value in judged.metrics.items()}
            steps = {name: dict(enumerate(all_, start=1)) for name, all_ in judged.steps.items()}
            add_missing(client, run_id, judged.params, metrics | steps)
            for file in judged.files:
                client.log_artifact(run_id, str(file))
            client.set_terminated(run_id, judged.status)
            return run_id
    except ReelflowError as error:
        log.warning("%s is not in MLflow: %s", judged.name, error)
        return ""


def _run(client: MlflowClient, experiment: str, judged: Judgement) -> str:
    tags = {JUDGED: judged.key} | ({_PARENT: judged.parent} if judged.parent else {})
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    for run in client.search_runs([experiment], filter_string=wanted, max_results=1):
        return str(run.info.run_id)
    tags |= {"mlflow.source.name": "reelflow", "mlflow.source.type": "LOCAL"}
    return str(client.create_run(experiment, tags=tags, run_name=judged.name).info.run_id)
