"""The model registry: one version stands for a model and its data.

A version is found by the tags `reelflow.model_hash` and `reelflow.data_hash`, which are made with
it in one transaction; the tag `reelflow.complete` comes last. So a killed process, a lost server
or a second call ends with the same single version.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reelflow.base.csv_table import read_cells
from reelflow.base.words import as_markdown
from reelflow.tracking.mlflow_client import (
    address_from_environment,
    client_from_environment,
    exists,
    says_missing,
)
from reelflow.tracking.pipeline_run import COMPLETE, DATA_HASH, MODEL_HASH

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

# Of the last run that registered the version, where that is another than its first.
RUN_ID = "reelflow.run_id"
DECISION = "reelflow.decision"
REASON = "reelflow.reason"
# How it compared with the champion of its time: the part of the reason that stays.
COMPARISON = "reelflow.comparison"

# What MLflow's databases keep of a description.
MOST_CHARACTERS = 5000

CHALLENGER = "challenger"
CHAMPION = "champion"


def find_version(client: MlflowClient, name: str, key: Mapping[str, str]) -> ModelVersion | None:
    """The version of the model `name` with these tags (see `Story.key`), or None."""
    conditions = [f"name = '{name}'", *(f"tags.`{tag}` = '{text}'" for tag, text in key.items())]
    found = client.search_model_versions(" and ".join(conditions))
    return min(found, key=lambda version: int(version.version), default=None)


def registration(name: str, model_hash: str, data_hash: str) -> ModelVersion | None:
    """The version of a model in the MLflow of the environment, with its aliases; None if it is not
    registered, or not to its end. Makes no database where there is none.

    Raises:
        UnavailableError, TrackingError: MLflow does not answer, or refuses.
    """
    if not exists(address_from_environment()):
        return None
    with client_from_environment() as client:
        found = find_version(client, name, {MODEL_HASH: model_hash, DATA_HASH: data_hash})
        if found is None or COMPLETE not in found.tags:
            return None
        # A search gives no aliases.
        return client.get_model_version(name, found.version)


def create_version(
    client: MlflowClient, name: str, run_id: str, model_id: str, key: Mapping[str, str]
) -> ModelVersion:
    """Register a logged model. Its tags are part of the same transaction, so that it is found."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(
            name, description="Takes videos (`path` or `video`), answers label and probabilities."
        )
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(
        name, f"models:/{model_id}", run_id=run_id, tags=dict(key), model_id=model_id
    )


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version that has the alias `champion`, or None."""
    registered = client.get_registered_model(name)
    number = registered.aliases.get(CHAMPION)
    return None if number is None else client.get_model_version(name, str(number))


def run_of(
    client: MlflowClient, *, model: str, version: str | None = None, alias: str | None = None
) -> str:
    """The id of the run that last registered a version, which is named by number or alias.

    Raises `MlflowException` as the client, if there is none.
    """
    found = (
        client.get_model_version(model, version)
        if version
        else client.get_model_version_by_alias(model, str(alias))
    )
    return _run_id(found)


def _run_id(version: ModelVersion) -> str:
    """Of the last run that registered a version; empty if none did."""
    return str(version.tags.get(RUN_ID) or version.run_id or "")


def description(reason: str, reports: Sequence[tuple[str, Sequence[str]]]) -> str:
    """What a person reads first of a version, as Markdown: why it is what it is, and the cautions.

    Args:
        reason: of the decision.
        reports: the headline of a report and its cautions, the gravest first; a pair a report.
    """
    lines = [reason]
    for headline, cautions in reports:
        lines += [
            f"\n**{as_markdown(headline)}**\n",
            *(f"- {as_markdown(text)}" for text in cautions),
        ]
    text = "\n".join(lines)
    if len(text) <= MOST_CHARACTERS:
        return text
    end = "\n- And more: see the reports among the run's artifacts."
    return text[: MOST_CHARACTERS - len(end)].rpartition("\n")[0] + end


def learned(
    client: MlflowClient, version: ModelVersion, tables: Sequence[str]
) -> pd.DataFrame | None:
    """The videos that a version was trained on, or chosen by: hash, and group (None if unknown).

    Args:
        tables: the names of the csv files among the artifacts of its run that list them.

    Returns:
        None if they are not there, or no such tables.
    """
    import pandas as pd
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory(prefix="reelflow-") as scratch:
        try:
            files = [client.download_artifacts(_run_id(version), one, scratch) for one in tables]
            return pd.concat(read_cells(Path(file), usecols=["hash", "group"]) for file in files)
        except (MlflowException, OSError) as error:
            if not says_missing(error):
                raise
        except ValueError:
            pass
    return None


def tag_version(client: MlflowClient, version: ModelVersion, tags: Mapping[str, str]) -> None:
    """Set tags on a version, in the order given."""
    for name, value in tags.items():
        client.set_model_version_tag(version.name, version.version, name, value)
