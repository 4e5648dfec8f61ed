"""The trials of a search: first the present settings, killed ones again, the worst ones pruned."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from flows.engine import fold_jobs
from flows.engine import optuna_study as studies
from flows.engine.fold_program import FoldError
from flows.engine.stage_process import StoppedError
from flows.engine.trials import Trials
from reelflow.base.errors import UnavailableError
from reelflow.crossval.figures import Answered
from reelflow.crossval.finished_folds import Job
from reelflow.crossval.folds import Fold
from reelflow.params.search import SearchParams
from reelflow.params.train import TrainParams

SPACE = {
    "network": ["cnn", "cnn_rnn"],
    "epochs": {"low": 1, "high": 40},
    "cnn_rnn.dropout": {"low": 0.1, "high": 0.5},
}
PARAMS = TrainParams.model_validate({"network": "cnn_rnn", "epochs": 3})
VIDEOS = pd.DataFrame({"hash": ["a", "b"], "label": ["x", "y"], "group": ["g", "h"]})
FOLDS = [Fold(1, n, ["a"], ["b"], ["a", "b"], ["g"]) for n in (1, 2, 3)]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No stores and no MLflow: both are asked in tests/flows/test_crossval.py."""
    monkeypatch.setattr(fold_jobs, "made_by_of", lambda network: "")
    monkeypatch.setattr(Trials, "_record", lambda *_: None)
    monkeypatch.chdir(tmp_path)


def trials_of(most: int = 4, space: dict[str, object] = SPACE) -> Trials:
    search = SearchParams(trials=most, space=dict(space))
    study = studies.open_study("sqlite:///search.db", "a study", search)
    studies.enqueue_present(study, search, PARAMS)
    return Trials(study, search, PARAMS, VIDEOS, FOLDS)


def answering(share: Callable[[Job], float]) -> Callable[[Job], Answered]:
    """Does a fold: as many of the two classes right as `share` says: 0.5 or 1."""

    def do(job: Job) -> Answered:
        second = [0.0, 1.0] if share(job) > 0.5 else [1.0, 0.0]
        return Answered(job.fold, {}, ["a", "b"], np.array([[1.0, 0.0], second]))

    return do


def test_the_first_trials_are_the_present_settings_that_of_params_first() -> None:
    trials = trials_of()
    lines = [trials.run(answering(lambda job: 1.0)) for _ in range(2)]
    first, second = (trial.params for trial in trials.study.trials)
    assert first == {"network": "cnn_rnn", "epochs": 3, "cnn_rnn.dropout": 0.3}
    assert second == {"network": "cnn", "epochs": 3}
    assert lines[1] == "trial 2: balanced accuracy 1.000 (3 folds): network cnn, epochs 3"
    assert (trials.done, trials.left) == (2, 2)


def test_the_best_is_the_first_of_equal_ones_and_ones_that_fall_behind_are_pruned() -> None:
    trials = trials_of(12)
    # Long trainings are bad from the second fold on.
    bad = answering(lambda job: 0.5 if job.in_use["epochs"] > 25 and job.fold.number > 1 else 1.0)
    while trials.left:
        trials.run(bad)
    table = studies.table(trials.study)
    assert len(table) == 12
    pruned = table[table["state"] == "pruned"]
    assert len(pruned)
    assert (pruned["epochs"] > 25).all()
    assert (pruned["folds"] == 2).all()
    assert trials.best is not None
    assert (trials.best.number, trials.best.value) == (0, 1.0)


def test_what_was_killed_is_tried_again_and_the_rest_is_not() -> None:
    trials = trials_of()
    trials.run(answering(lambda job: 1.0))
    killed = trials.study.ask()  # its process is killed: nobody ever tells how it ended
    studies.drawn(killed, trials.search, PARAMS)
    again = trials_of()
    assert (again.done, again.left) == (1, 3)
    again.run(answering(lambda job: 1.0))
    assert again.study.trials[-1].params == {"network": "cnn", "epochs": 3}
    # Taken up again, it draws others than it has drawn.
    again.run(answering(lambda job: 1.0))
    drawn = [tuple(sorted(t.params.items())) for t in studies.ended(again.study)]
    assert len(set(drawn)) == 3


def test_nothing_is_tried_twice_while_there_is_something_else() -> None:
    trials = trials_of(7, {"network": ["cnn"], "epochs": [2, 3, 4, 5, 6, 7]})
    for _ in range(6):
        trials.run(answering(lambda job: 1.0))
    assert {trial.params["epochs"] for trial in trials.study.trials} == {2, 3, 4, 5, 6, 7}
    # Their numbers have no gaps: nothing that was drawn in vain is a trial.
    assert [trial.number for trial in studies.ended(trials.study)] == list(range(6))
    # There is no seventh: one is taken once more, and the search comes to its end.
    trials.run(answering(lambda job: 1.0))
    assert (trials.done, trials.left) == (7, 0)


def test_two_at_once_try_different_settings() -> None:
    trials = trials_of(2, {"network": ["cnn"], "epochs": [2, 3]})
    both = threading.Barrier(2)

    def meet(job: Job) -> float:
        if job.fold.number == 1:
            both.wait(600)  # each has drawn before any is done
        return 1.0

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(trials.run, answering(meet)) for _ in range(2)]:
            done.result()
    assert {trial.params["epochs"] for trial in studies.ended(trials.study)} == {2, 3}


def test_what_was_stopped_is_tried_again_and_what_failed_is_not() -> None:
    trials = trials_of()

    def stop(job: Job) -> Answered:
        raise StoppedError

    def fail(job: Job) -> Answered:
        raise FoldError("The loss became infinite.")

    with pytest.raises(StoppedError):
        trials.run(stop)
    with pytest.raises(FoldError):
        trials.run(fail)  # the second of the two that were waiting
    assert trials.done == 0
    assert trials.best is None
    trials.run(answering(lambda job: 1.0))
    assert trials.best is not None
    assert trials.best.params["network"] == "cnn_rnn"


def test_another_space_or_other_settings_are_another_study() -> None:
    job = Job(FOLDS[0], {}, {}, "", dict.fromkeys("ab", ("x", "g")))
    search = SearchParams(space=dict(SPACE))
    name = studies.name_of(search, PARAMS, [job])
    assert studies.name_of(search.model_copy(update={"trials": 99}), PARAMS, [job]) == name
    others = [
        (search.model_copy(update={"space": {}}), PARAMS, [job]),
        (search.model_copy(update={"folds": 3}), PARAMS, [job]),
        (search, PARAMS.model_copy(update={"shift": 0.1}), [job]),
        (search, PARAMS, [Job(FOLDS[0], {}, {}, "new code", job.facts)]),
    ]
    assert name not in {studies.name_of(*other) for other in others}


def test_a_database_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_text("no database" * 99)
    with pytest.raises(UnavailableError, match="The database of the trials at sqlite:///"):
        studies.open_study("sqlite:///no.db", "a study", SearchParams())
    with pytest.raises(studies.SearchError, match="no address that can be used"):
        studies.open_study("postgres//user", "a study", SearchParams())
