"""`reelflow crossval`: killed and taken up again, asked for again, and what it leaves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml

from flows.engine import prefect_server
from flows.engine.run_crossval import Asked, cross_validate
from flows.gc import collect
from reelflow.base.errors import DataError, ParamsError
from reelflow.params import load_section
from reelflow.params.train import TrainParams
from reelflow.tracking.crossval_run import JUDGED
from reelflow.tracking.mlflow_client import connect
from tests.flows.prefect_api import PrefectApi
from tests.prepared import STAGES, Prepared
from tests.processes import family, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:The ..noload.. loader strategy"),  # of MLflow
    pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning"),  # of DVC
]

EMBED = {
    "cmd": "touch embedded",
    "deps": ["data/manifest.parquet"],
    "outs": [{"data/embeddings": {"persist": True}}],
}
COMMAND = ("reelflow", "crossval", "--folds", "2", "--repeats", "1")


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory, mlflow_database: Path, prefect_api: PrefectApi
) -> Prepared:
    """A cross-validation that was killed after its first fold, and taken up again."""
    root = tmp_path_factory.mktemp("crossval") / "project"
    root.mkdir()
    project = Prepared(root)
    graph = (root / "dvc.yaml").read_text()
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"embed": EMBED, **STAGES}}))
    shutil.copyfile(mlflow_database, root / "mlflow.db")
    project.environment |= prefect_api.environment()
    running = project.start(*COMMAND)
    wait_until(project.kept)
    program = family(running.pid, "tasks.fold")
    assert program
    running.kill()
    running.wait()
    # The program that does the folds leaves the one that it has begun.
    assert not psutil.wait_procs(program, timeout=600)[1]
    before = {name: (project.kept_in / name).read_bytes() for name in project.kept()}
    assert len(before) == 1
    (root / "again").write_text(project.call(*COMMAND).stdout)
    assert len(project.kept()) == 2
    for name, told in before.items():
        assert (project.kept_in / name).read_bytes() == told  # it was not done a second time
    (root / "dvc.yaml").write_text(graph)
    return project


def test_killed_it_goes_on_where_it_was(done: Prepared, prefect_api: PrefectApi) -> None:
    said = (done.root / "again").read_text()
    assert "cnn: 2 folds of whole groups, 1 repeat, 24 videos of 6 groups" in said
    run = prefect_api.latest("crossval")
    assert run["state"]["message"] == "folds: 1 done, 1 kept."
    tasks = prefect_api.tasks(run["id"], 2)
    states = [task["state_name"] for name, task in tasks.items() if "fold" in name]
    assert states == ["Completed"]
    assert "preprocess" in tasks
    assert not (done.root / "embedded").exists()  # `cnn` reads frames


def test_what_it_writes_is_of_one_mind(done: Prepared) -> None:
    figures = json.loads((done.root / "metrics/crossval.json").read_text())
    folds = pd.read_csv(done.root / "reports/crossval.csv")
    answers = pd.read_csv(done.root / "reports/crossval_predictions.csv", dtype={"hash": str})
    assert len(folds) == figures["folds"] == 2
    assert len(answers) == answers["hash"].nunique() == figures["videos"] == 24
    assert (answers["label"] == answers["predicted"]).mean() == pytest.approx(figures["accuracy"])
    page = (done.root / "reports/crossval.html").read_text()
    assert "<h1>" in page
    assert "only 6 groups" in page
    client = connect(f"sqlite:///{done.root}/mlflow.db")
    experiment = client.get_experiment_by_name("reelflow")
    (run,) = client.search_runs([experiment.experiment_id], f"tags.`{JUDGED}` != ''")
    assert run.data.metrics["crossval/accuracy"] == figures["accuracy"]
    assert len(client.get_metric_history(run.info.run_id, "crossval/fold/accuracy")) == 2
    assert run.info.status == "FINISHED"


@pytest.fixture
def here(done: Prepared, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    monkeypatch.chdir(done.root)
    return done


def test_asked_for_again_it_costs_no_training_and_no_server(
    here: Prepared, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (here.root / "metrics/crossval.json").read_bytes()
    nobody = f"http://127.0.0.1:{prefect_server.free_port()}/api"
    monkeypatch.setenv("PREFECT_API_URL", nobody)
    result, figures = cross_validate(Asked(folds=2, repeats=1), print)
    assert result.stages == []
    assert figures == json.loads(before)
    assert (here.root / "metrics/crossval.json").read_bytes() == before


def test_gc_keeps_the_folds_of_the_present_code(here: Prepared) -> None:
    other = here.kept_in / f"{'0' * 64}.json"
    other.write_text(json.dumps({"made_by": "other code", "videos": []}))
    why = "folds of a cross-validation with other code or videos"
    assert collect(remove=True)[0] == {why: 1}
    assert not other.exists()
    assert len(here.kept()) == 2


def test_what_cannot_be_is_a_sentence_before_any_server(here: Prepared) -> None:
    with pytest.raises(DataError, match="9 folds need as many groups of each class"):
        cross_validate(Asked(folds=9), print)
    with pytest.raises(DataError, match="there is no file nowhere.txt"):
        cross_validate(Asked(official=("nowhere.txt",)), print)
    with pytest.raises(ParamsError, match="There is no network 'cnnn'"):
        cross_validate(Asked(network="cnnn"), print)
    with pytest.raises(DataError, match="reads embeddings, and data/embeddings is empty"):
        cross_validate(Asked(network="transfer"), print)


def test_a_search_tries_the_present_settings_first_and_writes_the_best(done: Prepared) -> None:
    done.embed("whole/layer/mean", "whole/layer/root_local_differences")
    space = {"network": ["transfer"], "transfer.features": ["appearance", "whole"]}
    done.set("train", transfer={"features": "whole"})
    done.set("search", folds=2, trials=2, space=space)
    said = done.call("reelflow", "search", "--write").stdout
    assert "trial 1: balanced accuracy" in said
    assert "network transfer, transfer.features whole" in said
    trials = pd.read_csv(done.root / "reports/search.csv")
    assert len(trials) == 2
    best = trials.sort_values("balanced_accuracy", kind="stable", ascending=False).iloc[0]
    kept = load_section(done.root / "params.yaml", TrainParams)
    assert kept.network == "transfer"
    assert kept.settings("transfer").model_dump()["features"] == best["transfer.features"]
    tested = set(pd.read_csv(done.root / "data/prepared/test.csv")["hash"])
    new = [json.loads((done.kept_in / name).read_text()) for name in done.kept()]
    assert any(not tested & set(one["videos"]) for one in new)
    client = connect(f"sqlite:///{done.root}/mlflow.db")
    experiment = client.get_experiment_by_name("reelflow").experiment_id
    nested = client.search_runs([experiment], "tags.`mlflow.parentRunId` != ''")
    assert [len(run.data.params) for run in nested] == [2, 2]
    assert len({run.data.tags["mlflow.parentRunId"] for run in nested}) == 1
