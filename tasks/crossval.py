"""What comes of a cross-validation: files to read, and a run in MLflow.

Reads the outcomes of its folds and the prepared videos; writes `reports/crossval.html`,
`reports/crossval.csv` (a row a fold), `reports/crossval_predictions.csv` (a row a repeat and video)
and `metrics/crossval.json`. No stage: `reelflow crossval` calls it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from reelflow.base.csv_table import write_table
from reelflow.base.files import write_json, write_text
from reelflow.crossval import figures
from reelflow.crossval.figures import Answered
from reelflow.crossval.finished_folds import Job
from reelflow.evaluation.intervals import Bootstrap
from reelflow.params import load_section
from reelflow.params.evaluate import EvaluateParams
from reelflow.params.train import TrainParams
from reelflow.reports import crossval_report
from reelflow.tracking.crossval_run import Judgement, try_record
from tasks.common.paths import METRICS, PARAMS, REPORT
from tasks.common.stage_inputs import read_json
from tasks.fold import prepared_videos

PAGE = REPORT.with_name("crossval.html")
TABLE = REPORT.with_name("crossval.csv")
ANSWERS = REPORT.with_name("crossval_predictions.csv")
FIGURES = METRICS / "crossval.json"


def write(
    jobs: Sequence[Job], answered: Sequence[Answered], how: str, params: TrainParams
) -> dict[str, Any]:
    """Write every output; returns what `metrics/crossval.json` holds.

    Args:
        jobs: the folds.
        answered: what came of each.
        how: how the folds were made, for people.
        params: the section `train` that they were trained by.
    """
    videos = prepared_videos()
    labels = sorted(videos["label"].unique())
    evaluate = load_section(PARAMS, EvaluateParams)
    bootstrap = Bootstrap(evaluate.bootstrap, evaluate.confidence, evaluate.seed)
    answers = figures.answers_of(answered, videos, labels)
    folds = figures.by_fold(answered, answers)
    found = figures.figures(answers, labels, bootstrap)
    told = {
        **found,
        "network": params.network,
        "made": how,
        "interval_confidence": evaluate.confidence,
        "untested": len(videos) - found["videos"],
        "without_pictures": _without_pictures(),
    }
    page = crossval_report.render(told, folds, answers, params.in_use())
    write_table(TABLE, folds)
    write_table(ANSWERS, answers)
    write_json(FIGURES, told)
    write_text(PAGE, page)
    _record(jobs, folds, told, params)
    return told


def _without_pictures() -> dict[str, float] | None:
    """What file properties alone give, on folds of the same groups, as `validate` has measured."""
    found = METRICS / "validate.json"
    told = read_json(found)["told"] if found.is_file() else {}
    shares = [{k: one[k] for k in ("share", "low", "high")} for one in told.values()]
    return max(shares, key=lambda one: one["share"], default=None)


def _record(jobs: Sequence[Job], folds: Any, told: dict[str, Any], params: TrainParams) -> None:
    """One MLflow run; a lost MLflow costs a warning, no more."""
    key = hashlib.sha256("".join(job.key for job in jobs).encode()).hexdigest()
    metrics = {
        f"crossval/{name}": value
        for name, value in told.items()
        if isinstance(value, (int, float)) and name != "interval_confidence"
    }
    judged = Judgement(
        key=key,
        name=f"crossval-{params.network}",
        params={"train": params.in_use(), "crossval": {"made": told["made"]}},
        metrics=metrics,
        steps={f"crossval/fold/{name}": list(folds[name]) for name in figures.METRICS},
        files=[PAGE, TABLE, ANSWERS],
    )
    try_record(judged)
