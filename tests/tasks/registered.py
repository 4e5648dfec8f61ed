"""What stands in the MLflow of a test, and the outputs that `register` takes there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reelflow.tracking.mlflow_client import address_from_environment, connect
from tests.outputs import write_outputs


@pytest.fixture
def outputs(mlflow_project: Path) -> Path:
    write_outputs(mlflow_project)
    return mlflow_project


def mlflow():
    return connect(address_from_environment())


def versions(name: str = "reelflow") -> list[Any]:
    """All versions, oldest first, with their aliases, which a search does not tell."""
    found = mlflow().search_model_versions(f"name = '{name}'")
    numbers = sorted(int(version.version) for version in found)
    return [mlflow().get_model_version(name, str(number)) for number in numbers]


def runs() -> list[Any]:
    experiment = mlflow().get_experiment_by_name("reelflow")
    return list(mlflow().search_runs([experiment.experiment_id]))
