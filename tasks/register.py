"""Stage `register`: the whole pipeline run into MLflow, the model into its registry.

Reads what the stages before it wrote. Writes `metrics/register.json`, which holds nothing that
MLflow numbers (a version, a run), so that it is the same wherever the model is registered. MLflow
gets one run (the one that `train` began, completed, or a new one), one version with the alias
`challenger`, and, if it is good enough, the alias `champion`. Doing it again adds nothing. Alone:
`python -m tasks.register`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from filelock import FileLock

from reelflow import provenance, registry, runs
from reelflow.errors import DataError
from reelflow.files import write_json
from reelflow.mlflow_store import (
    address_from_environment,
    connect,
    experiment_from_environment,
    sentences,
)
from reelflow.packaging import log_video_model
from reelflow.params import Section, load_all
from reelflow.params.extract import ExtractParams
from reelflow.params.register import RegisterParams
from reelflow.promotion import Comparison, Decision, Rule, decide, measure
from reelflow.registry import CHALLENGER, CHAMPION, DECISION, REASON, RUN_ID
from reelflow.runs import COMPLETE, Story
from reelflow.table import read_written
from tasks.paths import (
    DATA_REPORT,
    MANIFEST,
    METRICS,
    MODEL,
    MODEL_CARD,
    PARAMS,
    PLOTS,
    PREDICTIONS,
    PREPARED,
    RAW,
    REPORT,
    STATE,
    SUMMARY,
)
from tasks.stage import run

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

log = logging.getLogger(__name__)

STAGE = "register"
LOCK = Path("dvc.lock")
# Besides the files that this stage depends on, whatever of these is there goes along.
ALONG = (
    PARAMS,
    Path("dvc.yaml"),
    LOCK,
    DATA_REPORT,
    *(PLOTS / f"{n}.csv" for n in ("confusion", "roc", "pr")),
)


def main() -> None:
    """Register, decide, and write the metrics."""
    sections = load_all(PARAMS)
    params, extract = sections[STAGE], sections["extract"]
    assert isinstance(params, RegisterParams)
    assert isinstance(extract, ExtractParams)
    card, scores = _json(MODEL_CARD), _json(METRICS / "evaluate.json")
    value = float(scores[params.metric])
    story = _story(sections, card)
    bounds = {"timeout_s": extract.timeout_s, "memory_mb": extract.memory_mb}

    address = address_from_environment()
    client = connect(address)
    STATE.mkdir(exist_ok=True)
    # MLflow has no transaction over a search and what follows it: two at once go one by one.
    with FileLock(STATE / "register.lock"), sentences(address):
        version = _register(client, params.name, story, bounds)
        decision = _decide(client, version, params, value, card["labels"], address)
        _finish(client, version, decision, scores)
    log.info("%s", decision.reason)
    write_json(
        METRICS / f"{STAGE}.json",
        {
            "name": params.name,
            "model_hash": story.model_hash,
            "data_hash": story.data_hash,
            "metric": params.metric,
            "value": value,
            "minimum": params.min_metric,
            "reached_minimum": value >= params.min_metric,
        },
    )


def _register(
    client: MlflowClient, name: str, story: Story, bounds: dict[str, float]
) -> ModelVersion:
    """The run, complete, and the version, found or made."""
    run_id = runs.open_run(client, experiment_from_environment(), story)
    version = registry.find_version(client, name, story.key)
    if version is None:
        model_id = log_video_model(
            client,
            run_id,
            MODEL,
            MODEL_CARD,
            bounds=bounds,
            params=story.params,
            tags=story.key,
        )
        version = registry.create_version(client, name, run_id, model_id, story.key)
    model_id = version.source.removeprefix("models:/")
    runs.complete_run(client, run_id, model_id, story)
    if version.run_id != run_id:
        registry.tag_version(client, version, {RUN_ID: run_id})
    log.info("registered as version %s of %s", version.version, name)
    return version


def _decide(
    client: MlflowClient,
    version: ModelVersion,
    params: RegisterParams,
    value: float,
    labels: list[str],
    address: str,
) -> Decision:
    present = registry.champion(client, version.name)
    if present is not None and str(present.version) == str(version.version):
        reason = present.tags.get(REASON, "It is the champion already.")
        return Decision(champion=True, reason=reason)

    def compare() -> Comparison | None:
        if present is None:
            return None
        return measure(params.metric, present, address, _test_videos(), labels)

    return decide(Rule(params.metric, params.min_metric), value, compare)


def _finish(
    client: MlflowClient, version: ModelVersion, decision: Decision, scores: dict[str, Any]
) -> None:
    """Say why before it is done: an alias without a reason could not be understood later."""
    name, number = version.name, version.version
    said = CHAMPION if decision.champion else CHALLENGER
    registry.tag_version(client, version, {REASON: decision.reason, DECISION: said})
    data = _json(METRICS / "validate.json")
    told = [
        (scores["verdict"]["headline"], scores["cautions"]),
        (f"The data: {data['headline'].lower()}", data["cautions"]),
    ]
    text = registry.description(decision.reason, told)
    client.update_model_version(name, number, description=text)
    client.set_registered_model_alias(name, CHALLENGER, number)
    if decision.champion:
        client.set_registered_model_alias(name, CHAMPION, number)
    registry.tag_version(client, version, {COMPLETE: "true"})


def _story(sections: dict[str, Section], card: dict[str, Any]) -> Story:
    with _present(MODEL).open("rb") as file:
        model_hash = hashlib.file_digest(file, "sha256").hexdigest()
    params = runs.flatten({name: s.model_dump() for name, s in sections.items()}, ".")
    return Story(
        model_hash=model_hash,
        data_hash=card["data_hash"],
        params={name: str(value) for name, value in params.items()},
        metrics={f"evaluate/{name}": value for name, value in _json(SUMMARY).items()},
        epochs=pd.read_csv(_present(PLOTS / "train.csv")),
        videos=pd.read_parquet(_present(MANIFEST)),
        videos_from=RAW.as_posix(),
        files={file.as_posix(): file for file in _files()},
        tags=_tags(),
    )


def _files() -> list[Path]:
    needed = [REPORT, PREDICTIONS, PLOTS / "train.csv", PREPARED / "meta.json"]
    there = [file for file in ALONG if file.is_file()]
    metrics = [file for file in sorted(METRICS.glob("*.json")) if file.stem != STAGE]
    splits = sorted(file for file in PREPARED.iterdir() if file.suffix in (".csv", ".json"))
    return list(dict.fromkeys([*map(_present, needed), *there, *metrics, *splits]))


def _tags() -> dict[str, str]:
    tags = {
        "reelflow.versions": ", ".join(f"{k} {v}" for k, v in provenance.versions().items()),
    }
    if lock := provenance.lock_hash(LOCK, without=STAGE):
        tags["reelflow.dvc_lock"] = lock
    if commit := provenance.git_commit(Path()):
        tags["mlflow.source.git.commit"] = commit.hash
        tags["reelflow.git_dirty"] = str(commit.dirty).lower()
    return tags


def _test_videos() -> list[tuple[Path, str]]:
    """The files of the test and their labels; a cell is text as written, "NA" too."""
    table = read_written(_present(PREPARED / "test.csv"), dtype=str, keep_default_na=False)
    return [
        (_present(RAW / path), label) for path, label in zip(table.path, table.label, strict=True)
    ]


def _json(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(_present(path).read_text(encoding="utf-8"))
    return value


def _present(path: Path) -> Path:
    if not path.is_file():
        raise DataError(f"{path} is missing: run the stages before this one (`dvc repro` does).")
    return path


if __name__ == "__main__":
    run(STAGE, main)
