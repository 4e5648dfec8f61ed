"""The trials of a search that several machines share: a real Postgres server."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.engine import optuna_study as studies
from reelflow.params.search import SearchParams
from reelflow.params.train import TrainParams

pytestmark = [
    pytest.mark.slow,
    pytest.mark.integration,
    # Optuna never closes the connections of its engine.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEARCH = SearchParams(trials=2, space={"network": ["cnn"], "epochs": {"low": 1, "high": 40}})
# A machine that dies as it works: nobody says how its trial ended.
DIES = """
import os, sys
from flows.engine import optuna_study as studies
from tests.flows.test_optuna_study_postgres import SEARCH
studies._HEARTBEAT_S, studies._SILENT_S = 1, 2
study = studies.open_study(sys.argv[1], "a study", SEARCH)
study.optimize(lambda trial: os._exit(trial.suggest_int("epochs", 1, 40)), n_trials=1)
"""


@pytest.fixture
def database(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of a Postgres server of this test's own."""
    runtime = tmp_path_factory.mktemp("runtime")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    pgserver = pytest.importorskip("pgserver", reason="pgserver has no wheel for this machine")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        gc.collect()  # what is left open belongs to this test, not to a later one


def test_the_trial_of_a_machine_that_died_is_tried_again_by_another(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "_HEARTBEAT_S", 1)
    monkeypatch.setattr(studies, "_SILENT_S", 2)
    study = studies.open_study(database, "a study", SEARCH)
    present = TrainParams.model_validate({"network": "cnn", "epochs": 3})
    studies.enqueue_present(study, SEARCH, present)
    died = subprocess.run(
        [sys.executable, "-c", DIES, database], cwd=Path(__file__).parents[2], check=False
    )
    assert died.returncode == 3  # it worked on the present settings
    time.sleep(3)  # longer than a machine may be silent
    tried: list[int] = []

    def objective(trial: object) -> float:
        params = studies.drawn(trial, SEARCH, present)  # type: ignore[arg-type]
        tried.append(params.epochs)
        return 0.5

    study.optimize(objective, n_trials=2)
    assert 3 in tried
    assert [trial.state.name for trial in study.trials].count("FAIL") == 1
    assert len(studies.ended(study)) == 2
