"""The trials of a search, in a database that outlives it (Optuna).

A study belongs to a state of the project: its name is a hash of the code, the videos, the settings
that are not searched and the space. Change any of these and a new study begins, since scores could
not be compared. Whatever ends a search, the study is taken up again: a trial that was killed is
tried again, and its folds that were done are kept.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna import Study, Trial
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from reelflow.base.errors import ReelflowError, UnavailableError
from reelflow.base.nested import flatten
from reelflow.crossval.finished_folds import Job
from reelflow.params.search import NETWORK, Dimension, SearchParams, trained
from reelflow.params.train import TrainParams
from reelflow.tracking.mlflow_client import masked

# Seconds after which a trial whose program says nothing counts as killed, for a database that
# several machines use.
_HEARTBEAT_S, _SILENT_S = 30, 120
# Folds after which a trial may be pruned, and whole trials before any is.
_WARMUP_FOLDS, _WARMUP_TRIALS = 1, 5
# How often settings are drawn until they are new: a small space may have no others.
_DRAWS = 20


class SearchError(ReelflowError):
    """The trials cannot be kept, or none of them came to an end."""


def name_of(search: SearchParams, params: TrainParams, jobs: Sequence[Job]) -> str:
    """The name of the study: `jobs` are those of the present settings."""
    asked = search.model_dump(include={"folds", "repeats", "space"})
    depends = json.dumps([asked, params.model_dump(mode="json"), [job.key for job in jobs]])
    return f"reelflow-{hashlib.sha256(depends.encode()).hexdigest()[:16]}"


def open_study(address: str, name: str, search: SearchParams) -> Study:
    """The study of this name, made if it is not there, its killed trials to be tried again.

    Args:
        address: of the database, as SQLAlchemy has it.
        name: from `name_of`.
        search: how trials are drawn.

    Raises:
        SearchError, UnavailableError: the database cannot be used.
    """
    # What fails or is stopped is told by whoever runs the trials; Optuna would add a traceback.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    where = masked(address)
    file = Path(address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else None
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
    # One machine alone uses a file, under the lock of the run; of several, one may die unseen.
    shared: dict[str, Any] = (
        {}
        if file
        else {
            "heartbeat_interval": _HEARTBEAT_S,
            "grace_period": _SILENT_S,
            "heartbeat_stale_trial_callback": _again,
        }
    )
    try:
        with warnings.catch_warnings(action="ignore", category=ExperimentalWarning):
            storage = optuna.storages.RDBStorage(address, **shared)
        study = optuna.create_study(
            storage=storage,
            study_name=name,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.NopPruner(),  # see `falls_behind`
        )
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise SearchError(
            f"search.storage in params.yaml is no address that can be used ({error}). For Postgres "
            "it is postgresql://user:password@host/database, with the package psycopg installed."
        ) from None
    except DatabaseError as error:
        reason = masked(str(error.orig).strip().splitlines()[0])
        raise UnavailableError(
            f"The database of the trials at {where} cannot be used ({reason}). Run the same "
            "command again when it can."
        ) from None
    if file:
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
            _again(study, trial)
    return study


def _again(study: Study, trial: FrozenTrial) -> None:
    study.enqueue_trial(trial.params)


def enqueue_present(study: Study, search: SearchParams, params: TrainParams) -> None:
    """Make the present settings the first trials, one for each network, that of params first."""
    if study.trials:
        return
    networks = search.networks(params.network)
    for network in sorted(networks, key=lambda name: name != params.network):
        values = flatten(params.model_dump())
        present = {
            name: values[name] for name, dim in search.dimensions(network) if values[name] in dim
        }
        study.enqueue_trial({NETWORK: network, **present})


def drawn(trial: Trial, search: SearchParams, params: TrainParams) -> TrainParams:
    """The section `train` that a trial is about."""
    network = trial.suggest_categorical(NETWORK, search.networks(params.network))
    values = {name: _suggest(trial, name, dim) for name, dim in search.dimensions(network)}
    return trained(params, {NETWORK: network, **values})


def enqueue_new(study: Study, search: SearchParams, params: TrainParams) -> None:
    """Make settings that no trial has the next trial, unless one waits already.

    They are drawn in a copy of the study, so that no trial remains of those that are not new.
    """
    trials = study.get_trials(deepcopy=False)
    if any(trial.state == TrialState.WAITING for trial in trials):
        return
    # Another seed each time, also in a search that is taken up again.
    sampler = optuna.samplers.TPESampler(
        n_startup_trials=search.random, seed=search.seed + len(trials)
    )
    draft = optuna.create_study(direction="maximize", sampler=sampler)
    draft.add_trials(trials)
    had = [trial.params for trial in trials]
    for _ in range(_DRAWS):
        trial = draft.ask()
        drawn(trial, search, params)
        if trial.params not in had:
            break
    study.enqueue_trial(trial.params)


def falls_behind(trial: Trial, so_far: float, folds: int) -> bool:
    """Whether a trial is to be pruned: the mean of its folds so far is below the median of what
    whole trials had after as many folds.

    Optuna's own pruners compare the best of all folds so far: one easy fold, and a trial is safe.
    """
    whole = trial.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    others = [one.intermediate_values[folds - 1] for one in whole]
    if folds <= _WARMUP_FOLDS or len(others) < _WARMUP_TRIALS:
        return False
    return so_far < float(np.median(others))


def _suggest(trial: Trial, name: str, dim: Dimension) -> Any:
    if isinstance(dim, tuple):
        return trial.suggest_categorical(name, dim)
    if dim.whole:
        return trial.suggest_int(name, int(dim.low), int(dim.high), log=dim.log)
    return trial.suggest_float(name, dim.low, dim.high, log=dim.log)


def ended(study: Study) -> list[FrozenTrial]:
    """The trials that are done: whole ones, and those that were pruned."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def table(study: Study) -> pd.DataFrame:
    """A row a trial: number, state, balanced accuracy of its folds so far, folds, its settings."""
    rows = []
    for trial in ended(study):
        scores = list(trial.intermediate_values.values())
        row: dict[str, Any] = {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "balanced_accuracy": round(scores[-1], 6) if scores else None,
            "folds": len(scores),
            **trial.params,
        }
        rows.append(row)
    return pd.DataFrame(rows)
