"""The whole pipeline on a tiny data set, by both drivers, as people use it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from cli.summary import CAUTIONS
from reelflow.base.words import percent
from reelflow.params import STAGES
from tests.checkout import PARTS, Checkout, make_checkout
from tests.conftest import ROOT
from tests.flows.prefect_api import PrefectApi
from tests.reports import imported, unguarded, watch

pytestmark = pytest.mark.slow

# What is promised to be the same, whoever ran it and how often.
SAME = {
    "data/manifest.parquet",
    "data/frames",
    "data/prepared",
    "data/ledger.csv",
    "models",
    "plots/train.csv",
    "reports/predictions.csv",
    "reports/index.html",
    "reports/validate",
    "reports/data.html",
    *(f"metrics/{stage}.json" for stage in STAGES),
    "metrics/summary.json",
}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Videos in `data/raw`, nothing run yet."""
    return make_checkout(tmp_path_factory.mktemp("bare") / "project")


@pytest.fixture(scope="module")
def done(bare: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The pipeline was run by `reelflow run`."""
    checkout = bare.copy(tmp_path_factory.mktemp("done") / "project")
    watch(checkout)
    checkout.call("reelflow", "run")
    return checkout


@pytest.fixture
def copy(done: Checkout, tmp_path: Path, prefect_api: PrefectApi) -> Iterator[Checkout]:
    """A copy of the finished project that a test may spoil; a Prefect server is up."""
    yield done.copy(tmp_path / "project", prefect_api)
    shutil.rmtree(tmp_path / "project")


def test_dvc_alone_from_nothing_gives_the_same_hashes_as_the_flow(
    bare: Checkout, done: Checkout, tmp_path: Path
) -> None:
    other = bare.copy(tmp_path / "project")
    other.dvc("add", "data/raw")
    other.dvc("repro")
    hashes = done.hashes()
    assert set(hashes) >= SAME
    assert {path: other.hashes()[path] for path in SAME} == {path: hashes[path] for path in SAME}


def test_no_process_of_a_run_reports_home(done: Checkout) -> None:
    tools = {"prefect", "mlflow", "dvc", "great_expectations", "tensorflow"}
    assert imported(done) >= tools
    assert unguarded(done) == []


def test_afterwards_every_tool_finds_nothing_to_do(done: Checkout) -> None:
    assert "up to date" in done.dvc("status")
    assert "Data and pipelines are up to date" in done.dvc("repro")
    again = done.call("reelflow", "run").stdout
    assert "Nothing changed" in again
    assert again.count("nothing to do") == len(STAGES)


def test_the_summary_tells_what_came_of_it(done: Checkout) -> None:
    told = done.call("reelflow", "run").stdout
    accuracy = json.loads((done.root / "metrics/evaluate.json").read_text())["accuracy"]
    assert f"test accuracy {percent(accuracy)}" in told
    assert "5 files" in told
    words = " ".join(told.split())
    for stage in ("evaluate", "validate"):
        said = json.loads((done.root / f"metrics/{stage}.json").read_text())
        assert (said["verdict"] if stage == "evaluate" else said)["headline"] in words
        assert all(f"! {caution}" in words for caution in said["cautions"][:CAUTIONS])
    assert "reelflow version 1 (challenger, champion)" in told
    for path in ("data/quarantine.csv", "reports/index.html", "reports/data.html"):
        assert path in told
        assert (done.root / path).is_file()


def test_dvcs_own_views_work(done: Checkout) -> None:
    graph = done.dvc("dag")
    assert all(stage in graph for stage in STAGES)
    metrics = json.loads(done.dvc("metrics", "show", "--json"))[""]["data"]
    assert list(metrics) == ["metrics/summary.json"]
    assert 5 <= len(metrics["metrics/summary.json"]["data"]) <= 8
    assert "plots" in done.dvc("plots", "show")
    assert (done.root / "dvc_plots" / "index.html").is_file()


def test_after_a_run_git_lacks_small_texts_alone(copy: Checkout) -> None:
    copy.dvc("plots", "show")
    (copy.root / "data/inbox/hop").mkdir(parents=True)
    (copy.root / "data/inbox/hop/a.mp4").touch()
    new = copy.call("git", "ls-files", "--others", "--exclude-standard").stdout.splitlines()
    assert {path for path in new if not path.startswith(PARTS)} == {
        "data/raw.dvc",
        "data/ledger.csv",
        "dvc.lock",
        "metrics/summary.json",
        *(
            f"plots/{name}.csv"
            for name in ("train", "confusion", "roc", "pr", "reliability", "coverage")
        ),
    }
    # DVC has added nothing to them: a clone's files are as they were.
    for kept in copy.root.glob("*/.gitignore"):
        assert kept.read_text() == (ROOT / kept.relative_to(copy.root)).read_text()
    readme = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    copy.call(*next(line for line in readme if line.startswith("git add ")).split())
    left = copy.call("git", "ls-files", "--others", "--exclude-standard").stdout.splitlines()
    assert all(path.startswith(PARTS) for path in left)


def test_a_changed_param_runs_only_what_depends_on_it(copy: Checkout) -> None:
    before = copy.hashes()
    copy.set_params(evaluate={"examples": 1})
    told = copy.call("reelflow", "run").stdout
    rows = [line.split() for line in told.splitlines()]
    outcomes = {row[0]: row[1] for row in rows if row and row[0] in STAGES and len(row) > 1}
    assert outcomes == {
        **dict.fromkeys(STAGES, "nothing"),
        "evaluate": "ran",
        "register": "ran",
    }
    assert copy.hashes()["models"] == before["models"]


def test_the_reason_why_it_is_the_champion_follows_the_rule(copy: Checkout) -> None:
    copy.set_params(register={"rule": "proven", "min_metric": 0.99})
    told = copy.call("reelflow", "run").stdout
    assert "below the minimum of 0.99. It was made the champion by another rule" in told


def test_the_champion_is_not_asked_about_what_it_was_trained_on(copy: Checkout) -> None:
    """As after the advice to delete the ledger: training videos of before stand in the test."""
    (copy.root / "data/ledger.csv").unlink()
    copy.set_params(preprocess={"seed": 1}, evaluate={"min_videos": 1, "min_groups": 2})
    told = copy.call("reelflow", "run").stdout
    assert "reelflow version 2" in told
    assert "test videos are left out: it was trained on them" in told


def test_an_experiment_changes_params_and_shows_the_difference(copy: Checkout) -> None:
    copy.call("git", "config", "user.email", "a@b.c")
    copy.call("git", "config", "user.name", "a")
    copy.call("git", "add", "-A")
    copy.call("git", "commit", "-qm", "done")
    copy.dvc("exp", "run", "-S", "train.epochs=1")
    assert "train.epochs" in copy.dvc("params", "diff")
    assert "metrics/summary.json" in copy.dvc("metrics", "diff")
    copy.dvc("plots", "diff")


def test_a_clone_that_pulled_has_nothing_to_do_but_is_registered_where_it_is_not(
    done: Checkout, copy: Checkout, tmp_path: Path
) -> None:
    copy.call("git", "config", "user.email", "a@b.c")
    copy.call("git", "config", "user.name", "a")
    copy.dvc("remote", "add", "-d", "store", str(tmp_path / "store"))
    copy.dvc("push")
    copy.call("git", "add", "-A")
    copy.call("git", "commit", "-qm", "done")
    clone = Checkout(tmp_path / "clone")
    copy.call("git", "clone", "-q", ".", str(clone.root))
    clone.dvc("pull")
    assert "Data and pipelines are up to date" in clone.dvc("repro")
    told = clone.call("reelflow", "run").stdout
    assert "reelflow version 1 (challenger, champion)" in told
    assert clone.hashes() == done.hashes()
    assert "Nothing changed" in clone.call("reelflow", "run").stdout


def test_a_new_video_costs_one_decode_and_no_video_changes_its_split(
    copy: Checkout, tmp_path: Path
) -> None:
    ledger = pd.read_csv(copy.root / "data/ledger.csv")
    before = ledger.set_index("hash")["split"]
    raw = copy.root / "data/raw"
    listed = pd.read_csv(raw / "videos.csv")
    removed = ledger.loc[ledger["split"] == "train", "path"].iloc[0]
    # A video leaves and comes back: what it once was is remembered, the others are as they were.
    shutil.move(raw / removed, tmp_path / "kept")
    listed[listed["path"] != removed].to_csv(tmp_path / "fewer.csv", index=False)
    (raw / "videos.csv").unlink()
    shutil.copy(tmp_path / "fewer.csv", raw / "videos.csv")
    # No later stage writes a split.
    assert " 0 new" in copy.dvc("repro", "preprocess")
    shutil.move(tmp_path / "kept", raw / removed)
    (raw / "videos.csv").unlink()
    listed.to_csv(raw / "videos.csv", index=False)
    copy.dvc("repro", "preprocess")
    after = pd.read_csv(copy.root / "data/ledger.csv").set_index("hash")["split"]
    assert after.to_dict() == before.to_dict()


def test_wrong_params_stop_everything_before_any_stage(copy: Checkout) -> None:
    copy.set_params(train={"epoch": 3})
    for command in (("reelflow", "run"), ("dvc", "repro", "--force")):
        done = copy.call(*command, check=False)
        assert done.returncode != 0
        assert "Did you mean `train.epochs`?" in done.stdout
        assert "Traceback" not in done.stdout


def test_no_process_takes_more_than_three_gib(done: Checkout) -> None:
    # Measured by the kernel for the largest of all children this far, the pipeline among them.
    import resource

    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 3 * 1024 * 1024
