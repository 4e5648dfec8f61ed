"""The trials of a search as they are done: draw, judge by folds, prune, record."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from optuna import Study, Trial, TrialPruned
from optuna.trial import FrozenTrial, TrialState

from flows.engine import study as studies
from flows.engine.fold_jobs import check_embedded, jobs_of, made_by, with_network
from flows.engine.run_folds import Do, Turn
from flows.engine.stage_process import StoppedError
from reelflow.base.words import count
from reelflow.crossval.folds import Fold, stratified
from reelflow.params import load_section
from reelflow.params.search import NETWORK, SearchParams
from reelflow.params.train import TrainParams
from reelflow.tracking.judged_run import Judgement, try_record
from tasks.common.paths import PARAMS, STATE
from tasks.fold import prepared_videos

DATABASE = STATE / "search.db"
# How often settings are drawn before some that were judged already are taken once more: a small
# space may have no others.
_DRAWS = 20


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
        self._record = Record(self.study.study_name)
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
        """The best whole trial."""
        return studies.best(self.study)

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
        while not ended or ended[-1].state == TrialState.FAIL:
            new = len(ended) < _DRAWS
            self.study.optimize(
                partial(self._judge, do=do, new=new),
                n_trials=1,
                catch=(studies.DrawnBeforeError,),
                callbacks=[lambda _, trial: ended.append(trial)],
            )
        trial = ended[-1]
        scores = list(trial.intermediate_values.values())
        pruned = trial.state == TrialState.PRUNED
        self._record.trial(trial, scores, pruned=pruned)
        how = f"pruned after {count(len(scores), 'fold')}" if pruned else count(len(scores), "fold")
        told = ", ".join(f"{name} {_short(v)}" for name, v in trial.params.items())
        return f"trial {trial.number + 1}: balanced accuracy {scores[-1]:.3f} ({how}): {told}"

    def _judge(self, trial: Trial, do: Do, new: bool) -> float:
        params = studies.drawn(trial, self.search, self.params)
        if new and studies.drawn_before(trial):
            raise studies.DrawnBeforeError
        jobs = jobs_of(self.folds, self.videos, params, made_by(params.network))
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


class Record:
    """A run in MLflow for a search, and one in it for each trial; a lost MLflow costs a warning."""

    def __init__(self, name: str) -> None:
        self._name, self._parent, self._lost = name, "", False
        self._guard = threading.Lock()

    def trial(self, trial: FrozenTrial, scores: list[float], *, pruned: bool) -> None:
        """Record a trial, with the mean of its folds after each of them."""
        judged = Judgement(
            key=f"{self._name}/{trial.number}",
            name=f"trial-{trial.number + 1}",
            params={"train": dict(trial.params)},
            metrics={"search/balanced_accuracy": scores[-1]},
            steps={"search/so_far": scores},
            status="KILLED" if pruned else "FINISHED",
        )
        with self._guard:
            if not self._lost:
                whole = Judgement(self._name, self._name, {}, {})
                self._parent = self._parent or try_record(whole)
                judged = replace(judged, parent=self._parent)
                self._lost = not (self._parent and try_record(judged))


def open_trials(network: str, trials: int) -> Trials:
    """The trials of the project as it is now, once the stages before `train` have run.

    Args:
        network: the only one that is tried; empty for those of the space.
        trials: how many in all; 0 for the number in params.yaml.

    Raises:
        DataError: a class has too few groups.
        SearchError, UnavailableError: the database of the trials cannot be used.
    """
    search, params = asked(network, trials), load_section(PARAMS, TrainParams)
    videos = prepared_videos()
    videos = videos[videos["split"] != "test"]
    folds = stratified(videos, search.folds, search.repeats, search.seed)
    jobs = []
    for one in search.networks(params.network):
        check_embedded(one)
        jobs += jobs_of(folds, videos, with_network(params, one), made_by(one))
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
