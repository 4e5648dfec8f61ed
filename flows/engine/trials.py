"""The trials of a search as they are done: draw, judge by folds, prune, record."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from optuna import Study, Trial, TrialPruned
from optuna.trial import FrozenTrial, TrialState

from flows.engine import optuna_study as studies
from flows.engine.fold_jobs import jobs_of, with_network
from flows.engine.run_folds import Do, Turn
from flows.engine.stage_process import StoppedError
from reelflow.base.words import count
from reelflow.crossval.folds import Fold, stratified
from reelflow.params import load_section
from reelflow.params.search import NETWORK, SearchParams
from reelflow.params.train import TrainParams
from reelflow.tracking.crossval_run import Judgement, try_record
from tasks.common.paths import PARAMS, STATE
from tasks.fold import prepared_videos

DATABASE = STATE / "search.db"


@dataclass
class Trials:
    """A search at work; several threads may call `run` at once.

    Attributes:
        study: its trials, of this state of the project.
        search: the section `search`.
        params: the section `train` as it is now.
        videos: what may be looked at: the training and validation videos.
        folds: of these, by which each trial is judged.
    """

    study: Study
    search: SearchParams
    params: TrainParams
    videos: pd.DataFrame
    folds: list[Fold]
    unit: ClassVar[str] = "trial"

    def __post_init__(self) -> None:
        self._guard = threading.Lock()
        self._mlflow_run: str | None = None  # its id; empty once MLflow is lost
        self._before, self._begun = self.done, 0

    @property
    def done(self) -> int:
        """Trials that are done, pruned ones included."""
        return len(studies.ended(self.study))

    @property
    def left(self) -> int:
        """Trials that are still to be done."""
        return max(0, self.search.trials - self.done)

    @property
    def best(self) -> FrozenTrial | None:
        """The best whole trial, of equal ones the first; None before there is one."""
        whole = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return max(whole, key=lambda trial: (trial.value or 0.0, -trial.number), default=None)

    def next(self, failed: Sequence[str]) -> Turn | None:
        """The next trial, unless another machine has done the last one."""
        if self._begun >= self.search.trials - self._before or not self.left:
            return None
        self._begun += 1
        return Turn("trial", self.run)

    def end(self, failed: Sequence[str]) -> tuple[str, str]:
        """An error if no trial came to its end, and how many were done."""
        error = "" if self.best else " ".join(["No trial came to its end.", *failed[-1:]])
        return error, f"{self.done - self._before} done, {self._before} before"

    def run(self, do: Do) -> str:
        """Do one trial; returns a line on it.

        Args:
            do: does a fold.

        Raises:
            FoldError: a training failed, so that these settings count for nothing.
            StoppedError: the run is being stopped; the trial will be tried again.
        """
        ended: list[FrozenTrial] = []
        with ExitStack() as drawing:  # by one thread at a time, so that no two draw the same
            drawing.enter_context(self._guard)
            studies.enqueue_new(self.study, self.search, self.params)
            self.study.optimize(
                partial(self._judge, do=do, drawing=drawing),
                n_trials=1,
                callbacks=[lambda _, trial: ended.append(trial)],
            )
        (trial,) = ended
        scores = list(trial.intermediate_values.values())
        pruned = trial.state == TrialState.PRUNED
        self._record(trial, scores, "KILLED" if pruned else "FINISHED")
        how = f"pruned after {count(len(scores), 'fold')}" if pruned else count(len(scores), "fold")
        settings = ", ".join(f"{name} {_short(v)}" for name, v in trial.params.items())
        return f"trial {trial.number + 1}: balanced accuracy {scores[-1]:.3f} ({how}): {settings}"

    def _judge(self, trial: Trial, do: Do, drawing: ExitStack) -> float:
        params = studies.drawn(trial, self.search, self.params)
        drawing.close()
        jobs = jobs_of(self.folds, self.videos, params)
        scores = []
        try:
            for done, job in enumerate(jobs, start=1):
                scores.append(do(job).balanced_accuracy(job.labels))
                so_far = float(np.mean(scores))
                trial.report(so_far, done - 1)
                if done < len(jobs) and studies.falls_behind(trial, so_far, done):
                    raise TrialPruned
        except StoppedError:
            self.study.enqueue_trial(trial.params)
            raise
        return float(np.mean(scores))

    def _record(self, trial: FrozenTrial, scores: list[float], status: str) -> None:
        """Record a trial in MLflow, in the run of the search; a lost MLflow costs one warning."""
        name = self.study.study_name
        with self._guard:
            if self._mlflow_run is None:
                self._mlflow_run = try_record(Judgement(name, name, {}, {}))
            judged = Judgement(
                key=f"{name}/{trial.number}",
                name=f"trial-{trial.number + 1}",
                params={"train": dict(trial.params)},
                metrics={"search/balanced_accuracy": scores[-1]},
                steps={"search/so_far": scores},
                parent=self._mlflow_run,
                status=status,
            )
            if self._mlflow_run and not try_record(judged):
                self._mlflow_run = ""


def open_trials(search: SearchParams) -> Trials:
    """The trials of the project as it is now, once the stages before `train` have run.

    Args:
        search: from `asked`.

    Raises:
        DataError: a class has too few groups.
        SearchError, UnavailableError: the database of the trials cannot be used.
    """
    params = load_section(PARAMS, TrainParams)
    videos = prepared_videos()
    videos = videos[videos["split"] != "test"]
    folds = stratified(videos, search.folds, search.repeats, search.seed)
    jobs = []
    for one in search.networks(params.network):
        jobs += jobs_of(folds, videos, with_network(params, one))
    name = studies.name_of(search, params, jobs)
    study = studies.open_study(search.storage or f"sqlite:///{DATABASE}", name, search)
    studies.enqueue_present(study, search, params)
    return Trials(study, search, params, videos, folds)


def asked(network: str, trials: int) -> SearchParams:
    """The section `search`, with the options of the command line."""
    search = load_section(PARAMS, SearchParams)
    if network:
        with_network(load_section(PARAMS, TrainParams), network)  # refuses one that there is not
        space = {**search.space, NETWORK: [network]}
        search = search.model_copy(update={"space": space})
    return search.model_copy(update={"trials": trials}) if trials else search


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
