"""Stage `register`: the whole pipeline run into MLflow, the model into its registry.

Reads the outputs of all other stages. Writes `metrics/register.json`, without numbers of MLflow (a
version, a run), so that it is the same wherever the model is registered. MLflow gets one run (that
of `train`, completed, or a new one), one version with the alias `challenger`, and, if the model is
good enough, the alias `champion`. Running it again adds nothing. Alone: `python -m tasks.register`.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from filelock import FileLock

from reelflow.base.files import digest_of, write_json, write_text
from reelflow.base.nested import flatten
from reelflow.evaluation.answers import group_codes
from reelflow.evaluation.verdict import Floor, Verdict
from reelflow.params import STAGES, load_all, load_section
from reelflow.params.evaluate import EvaluateParams
from reelflow.params.extract import ExtractParams
from reelflow.params.register import RegisterParams
from reelflow.registry import versions
from reelflow.registry.packaging import log_video_model
from reelflow.registry.promotion import (
    Comparison,
    Decision,
    alone,
    confirm,
    decide,
    measure,
    unseen,
)
from reelflow.registry.versions import CHALLENGER, CHAMPION, COMPARISON, DECISION, REASON, RUN_ID
from reelflow.reports import model_card
from reelflow.tracking import pipeline_run, provenance
from reelflow.tracking.mlflow_client import client_from_environment
from reelflow.tracking.pipeline_run import COMPLETE, Story
from tasks.common.paths import (
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
from tasks.common.stage import run
from tasks.common.stage_inputs import prepared_splits, present, read_cells, read_json

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

log = logging.getLogger(__name__)

# What a run itself writes in git: a change there is none of the code.
WRITTEN_IN_GIT = ("dvc.lock", "metrics", "plots", "data")

STAGE = "register"
PAGE = REPORT.with_name("model_card.md")
LOCK = Path("dvc.lock")
# These files are logged, too, where they exist.
ALONG = (
    PARAMS,
    Path("dvc.yaml"),
    LOCK,
    DATA_REPORT,
    *(PLOTS / f"{n}.csv" for n in ("confusion", "roc", "pr")),
)


def main() -> None:
    """Register, decide, and write the metrics."""
    params = load_section(PARAMS, RegisterParams)
    card, scores = read_json(MODEL_CARD), read_json(METRICS / "evaluate.json")
    data = read_json(METRICS / "validate.json")
    value, verdict = float(scores[params.metric]), Verdict(**scores["verdict"])
    _write_card(params.name, card, scores, data)
    story = _story(card)

    STATE.mkdir(exist_ok=True)
    # MLflow has no transaction over a search and a write, so two processes take turns.
    with FileLock(STATE / "register.lock"), client_from_environment() as client:
        version = _register(client, params.name, story)
        present = versions.champion(client, params.name)
        if present is not None and str(present.version) == str(version.version):
            # What once made it the champion, if a comparison did.
            tags = present.tags if present.tags.get(DECISION) == CHAMPION else {}
            comparison = str(tags.get(COMPARISON, ""))
            decision = confirm(alone(params, value, verdict), comparison)
        else:
            decision = decide(
                params,
                value,
                verdict,
                lambda: _compare(client, present, params.metric, card["labels"]),
            )
            comparison = decision.beside
        summaries = [
            (verdict.headline, scores["cautions"]),
            (f"The data: {data['headline'].lower()}", data["cautions"]),
        ]
        _finish(client, version, decision, comparison, summaries)
    log.info("%s", decision.reason)
    figures = {
        "name": params.name,
        "model_hash": story.model_hash,
        "data_hash": story.data_hash,
        "metric": params.metric,
        "value": value,
        "minimum": params.min_metric,
        "reached_minimum": value >= params.min_metric,
        "verdict": verdict.code,
    }
    write_json(METRICS / f"{STAGE}.json", figures)


def _write_card(
    name: str, card: dict[str, Any], scores: dict[str, Any], data: dict[str, Any]
) -> None:
    usage = (
        "import mlflow\n\n"
        f'model = mlflow.pyfunc.load_model("models:/{name}@{CHAMPION}")\n'
        'model.predict({"path": ["clip.mp4"]})'
    )
    write_text(PAGE, model_card.render(name, card, scores, data, prepared_splits(), usage))


def _register(client: MlflowClient, name: str, story: Story) -> ModelVersion:
    """Complete the run; find or create the version."""
    extract = load_section(PARAMS, ExtractParams)
    run_id = pipeline_run.open_run(client, story)
    version = versions.find_version(client, name, story.key)
    if version is None:
        bounds = {"timeout_s": extract.timeout_s, "memory_mb": extract.memory_mb}
        model_id = log_video_model(
            client, run_id, MODEL, MODEL_CARD, bounds=bounds, params=story.params, tags=story.key
        )
        version = versions.create_version(client, name, run_id, model_id, story.key)
    model_id = version.source.removeprefix("models:/")
    pipeline_run.complete_run(client, run_id, model_id, story)
    if version.run_id != run_id:
        versions.tag_version(client, version, {RUN_ID: run_id})
    log.info("registered as version %s of %s", version.version, name)
    return version


def _compare(
    client: MlflowClient, present: ModelVersion | None, metric: str, labels: list[str]
) -> Comparison | None:
    """Measure the champion on the test videos that are new to it."""
    if present is None:
        return None
    evaluate = load_section(PARAMS, EvaluateParams)
    floor = Floor(evaluate.min_videos, evaluate.min_groups)
    splits = [(PREPARED / f"{name}.csv").as_posix() for name in ("train", "validation")]
    learned = versions.learned(client, present, splits)
    if learned is None:
        why = "there is no record of what it was trained on, so no test video is surely new to it."
        return Comparison(str(present.version), None, remark=why)
    test = read_cells(PREPARED / "test.csv")
    new = test[unseen(test, pd.read_parquet(MANIFEST), learned).to_numpy()]
    left = ""
    if len(new) < len(test):
        groups = len(set(group_codes(list(new["group"]))))
        left = (
            f"{len(test) - len(new)} of {len(test)} test videos are left out: it was trained on "
            "them, or on videos of their groups or nearly the same ones."
        )
        if not floor.is_met(len(new), groups):
            left += f" The {len(new)} of {groups} groups that are left are too few to compare by."
            return Comparison(str(present.version), None, remark=left)
    found = measure(metric, present, _asked(new), labels)
    return replace(found, remark=f"{found.remark} {left}".strip())


def _finish(
    client: MlflowClient,
    version: ModelVersion,
    decision: Decision,
    comparison: str,
    summaries: list[tuple[str, list[str]]],
) -> None:
    """Record the reason before the alias is set: nobody could understand it later without."""
    name, number = version.name, version.version
    alias = CHAMPION if decision.champion else CHALLENGER
    tags = {REASON: decision.reason, COMPARISON: comparison, DECISION: alias}
    versions.tag_version(client, version, tags)
    text = versions.description(decision.reason, summaries)
    client.update_model_version(name, number, description=text)
    client.set_registered_model_alias(name, CHALLENGER, number)
    if decision.champion:
        client.set_registered_model_alias(name, CHAMPION, number)
    versions.tag_version(client, version, {COMPLETE: "true"})


def _story(card: dict[str, Any]) -> Story:
    model_hash = digest_of(present(MODEL))
    sections = load_all(PARAMS)
    used = {name: sections[name].model_dump() for name in STAGES}
    params = flatten({**used, "train": card["params"]})
    return Story(
        model_hash=model_hash,
        data_hash=card["data_hash"],
        params={name: str(value) for name, value in params.items()},
        metrics={f"evaluate/{name}": value for name, value in read_json(SUMMARY).items()},
        epochs=pd.read_csv(present(PLOTS / "train.csv")),
        videos=pd.read_parquet(present(MANIFEST)),
        videos_from=RAW.as_posix(),
        files={file.as_posix(): file for file in _files()},
        tags=_tags(),
    )


def _files() -> list[Path]:
    needed = [REPORT, PAGE, PREDICTIONS, PLOTS / "train.csv", PREPARED / "meta.json"]
    there = [file for file in ALONG if file.is_file()]
    metrics = [file for file in sorted(METRICS.glob("*.json")) if file.stem != STAGE]
    splits = sorted(file for file in PREPARED.iterdir() if file.suffix in (".csv", ".json"))
    return list(dict.fromkeys([*map(present, needed), *there, *metrics, *splits]))


def _tags() -> dict[str, str]:
    tags = {"reelflow.versions": ", ".join(f"{k} {v}" for k, v in provenance.versions().items())}
    if lock := provenance.lock_hash(LOCK, without=STAGE):
        tags["reelflow.dvc_lock"] = lock
    return tags | provenance.commit_tags(Path(), WRITTEN_IN_GIT)


def _asked(videos: pd.DataFrame) -> pd.DataFrame:
    """The videos with their files, labels and the predictions of the new model."""
    own = read_cells(PREDICTIONS).set_index("path")["predicted"]
    return videos.assign(
        file=videos["path"].map(lambda path: present(RAW / path)),
        predicted=videos["path"].map(own).fillna(""),  # no answer is a wrong one
    )


if __name__ == "__main__":
    run(STAGE, main)
