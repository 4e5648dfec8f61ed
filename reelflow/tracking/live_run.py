"""Log the epochs of a training to MLflow while it runs.

A lost MLflow never stops a training: after the first call that fails nothing more is sent, a
warning says so, and `register` later completes the run from the table of epochs.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from reelflow.base.errors import ReelflowError
from reelflow.tracking.mlflow_client import connect, experiment_from_environment, sentences
from reelflow.tracking.pipeline_run import DATA_HASH, MODEL_HASH, add_missing

log = logging.getLogger(__name__)


class LiveRun:
    """An MLflow run that grows with a training, and never makes it fail."""

    def __init__(self, address: str, params: Mapping[str, Any]) -> None:
        """Open a run with the params of the training.

        Args:
            address: of the tracking store.
            params: the section `train`, logged as `train.<name>`.
        """
        self._address = address
        self._lost = False
        self._run_id = ""

        def begin() -> None:
            self._client = connect(address)
            run = self._client.create_run(experiment_from_environment(self._client))
            self._run_id = run.info.run_id
            add_missing(self._client, self._run_id, {"train": params}, {})

        self._try(begin)

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """Log the metrics of an epoch, each named as its column in `plots/train.csv`."""
        import mlflow

        self._try(lambda: mlflow.log_metrics(dict(values), step=number, run_id=self._run_id))

    def finish(self, model_hash: str, data_hash: str) -> None:
        """Tag the run with its model, by which `register` finds it, and end it."""

        def end() -> None:
            self._client.set_tag(self._run_id, DATA_HASH, data_hash)
            self._client.set_tag(self._run_id, MODEL_HASH, model_hash)
            self._client.set_terminated(self._run_id)

        self._try(end)

    def abandon(self, status: str) -> None:
        """End the run without a model: `KILLED` by a person, or `FAILED`."""
        self._try(lambda: self._client.set_terminated(self._run_id, status))

    def _try(self, send: Any) -> None:
        if self._lost:
            return
        try:
            with sentences(self._address):
                send()
        except ReelflowError as error:
            self._lost = True
            log.warning("No more epochs go to MLflow: %s The stage `register` sends them.", error)
