"""A fold of a cross-validation: train on some videos, answer for others, as the stages would.

No stage: `reelflow crossval` and `reelflow search` start this program, which does one fold after
another, since TensorFlow takes longer to start than a head to fit. It reads a job a line on its
standard input (`reelflow.crossval.finished_folds.Job` as JSON) and the stores that the stages have
written; it writes `.reelflow/crossval/<key>.json`, and after each job the line `fold: done` or
`fold: error: <sentence>`.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import queue
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from reelflow.base.determinism import deterministic
from reelflow.base.errors import DataError
from reelflow.base.terminal import log_to_stderr
from reelflow.crossval.figures import Answered
from reelflow.crossval.finished_folds import Job, keep
from reelflow.crossval.folds import Fold
from reelflow.params.train import TrainParams
from reelflow.store.frame_store import FrameStore
from reelflow.training.model_inputs import inputs_of
from reelflow.training.predict_clip import predict
from reelflow.training.training_result import Trained
from tasks.common.error_to_sentence import sentence
from tasks.common.paths import EMBEDDINGS, FOLDS, FRAMES
from tasks.common.stage_inputs import prepared_splits
from tasks.preprocess import training_facts
from tasks.train import Training

DONE, ERROR = "fold: done", "fold: error: "


def main() -> None:
    """Do the jobs of the standard input; at its end this process ends, whatever it is at."""
    log_to_stderr("fold: %(message)s", logging.INFO)
    faulthandler.enable()
    deterministic()
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), daemon=True).start()
    while True:
        line = jobs.get()
        try:
            job = job_of(json.loads(line))
            keep(FOLDS, job, do(job))
            said = DONE
        except Exception as error:  # noqa: BLE001 (whatever it is, it ends as a sentence)
            said = ERROR + sentence(error).replace("\n", " ")
        print(said, file=sys.stderr, flush=True)


def _read(jobs: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        jobs.put(line)
    # Nobody asks any more. A job that is not done was asked for by a process that was killed.
    os._exit(0)


def line_of(job: Job) -> str:
    """A job as a line for `main`."""
    return json.dumps(asdict(job))


def job_of(told: dict[str, Any]) -> Job:
    """The job of `line_of`."""
    return Job(**{**told, "fold": Fold(**told["fold"])})


def do(job: Job) -> Answered:
    """Train on what a fold learns from, and answer for what it tests."""
    began = time.process_time()
    params = TrainParams.model_validate(job.params)
    store = FrameStore(FRAMES)
    videos = prepared_videos().set_index("hash", drop=False)
    learned, watched, tested = (
        videos.loc[hashes] for hashes in (job.fold.learned, job.fold.watched, job.fold.tested)
    )
    meta = training_facts(videos, learned, store)
    trained = Training(
        params, meta, store, EMBEDDINGS, learned, watched, lambda history: None
    ).run()
    shown, there = inputs_of(trained.told, store, EMBEDDINGS, tested)
    temperature = trained.left_out().temperature
    rows = [predict(trained.model, shown(video), temperature) for video in there["hash"]]
    probabilities = np.stack(rows) if rows else np.zeros((0, len(meta["labels"])))
    if not np.isfinite(probabilities).all():
        raise DataError("The model gives no numbers: its weights have diverged.")
    told = {**_told(trained), "core_seconds": round(time.process_time() - began, 3)}
    return Answered(job.fold, told, list(there["hash"]), probabilities)


def prepared_videos() -> pd.DataFrame:
    """All videos that preprocess has prepared, with their `split`."""
    tables = prepared_splits().items()
    return pd.concat([table.assign(split=name) for name, table in tables], ignore_index=True)


def _told(trained: Trained) -> dict[str, Any]:
    chosen = [one["features"] for one in trained.told.get("candidates", []) if one["chosen"]]
    return {
        "network": trained.network,
        "features": chosen[0] if chosen else "",
        "best_epoch": int(trained.best["epoch"]),
        "parameters": int(trained.model.count_params()),
    }


if __name__ == "__main__":
    main()
