"""`reelflow compare`: sides by file, place, version, run and revision, and what is said of them."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cli.main import main
from reelflow.tracking.mlflow_client import connect
from tests.dataset import write_store

# MLflow's own.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

LABELS = ("left", "right")


def predictions(wrong: set[int], videos: range = range(40)) -> pd.DataFrame:
    """Videos of ten groups; those of `wrong` are predicted wrongly."""
    label = [LABELS[at % 2] for at in videos]
    said = [LABELS[(at + (at in wrong)) % 2] for at in videos]
    return pd.DataFrame(
        {
            "hash": [f"{at:064x}" for at in videos],
            "path": [f"{name}/clip_{at:02}.mp4" for at, name in zip(videos, label, strict=True)],
            "label": label,
            "group": [f"g{at % 10}" for at in videos],
            "predicted": said,
            "confidence": 0.75,
            "p_left": 0.5,
            "p_right": 0.5,
        }
    )


WORSE, BETTER = set(range(20)), {0}


def here(folder: Path, wrong: set[int]) -> None:
    (folder / "reports").mkdir(exist_ok=True)
    predictions(wrong).to_csv(folder / "reports/predictions.csv", index=False)


def call(*arguments: str, status: int = 0) -> str:
    """What the command prints, in this process: starting it anew would import DVC each time."""
    printed = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patched,
        contextlib.redirect_stdout(printed),
        pytest.raises(SystemExit) as end,
    ):
        patched.setattr("sys.argv", ["reelflow", "compare", *arguments])
        main()
    if status:
        assert str(end.value).startswith("error: ")
        return str(end.value)
    assert end.value.code == 0
    return printed.getvalue()


def figures(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call(*arguments, "--json"))
    return found


def test_the_better_one_is_named_and_the_flipped_videos_are_shown(project: Path) -> None:
    here(project, BETTER)
    predictions(WORSE).to_csv("before.csv", index=False)
    flipped = predictions(set()).iloc[1:20]
    write_store(project / "data/frames", flipped.assign(target=0).head(3))
    said = call("before.csv", ".")
    assert said.startswith("this checkout is better than before.csv, by more than noise\n")
    assert "On 40 videos of 10 groups that both were tested on" in said
    assert "this checkout alone has 19 videos right, before.csv alone 0." in said
    page = Path("reports/compare.html").read_text(encoding="utf-8")
    assert page.count('class="flip"') == 12
    assert page.count("data:image/webp") == 3, "frames of those that are in the store"
    assert "left/clip_02.mp4" in page
    assert "left/clip_00.mp4" not in page, "both have it wrong"


def test_a_run_and_itself_predict_the_same(project: Path) -> None:
    here(project, WORSE)
    assert call(".", ".").startswith("this checkout and this checkout predict the same\n")
    found = figures(".", ".")
    assert (found["difference"], found["better"], found["flips"]) == (0, None, [])


def test_a_small_difference_is_noise(project: Path) -> None:
    here(project, {0, 1, 2})
    predictions({3, 4}).to_csv("other.csv", index=False)
    assert "is within noise" in call("other.csv")
    assert figures("other.csv")["better"] is None


def test_where_few_groups_differ_that_is_said(project: Path) -> None:
    here(project, set())
    predictions({at for at in range(40) if at % 10 < 4}).to_csv("other.csv", index=False)
    said = call("other.csv")
    assert said.startswith("this checkout looks better than other.csv, but too few groups differ")
    assert "gives as much in 12% of all ways, so chance is not excluded" in said


def test_only_videos_of_both_tests_with_one_label_are_compared(project: Path) -> None:
    here(project, set())
    other = predictions(set(), range(10, 50))
    other.loc[0, "label"] = "right"
    other.to_csv("other.csv", index=False)
    said = call("other.csv", ".")
    assert "On 29 videos" in said
    assert (
        "Not compared: 10 of the test of other.csv alone, 10 of the test of this checkout alone, "
        "1 with another label on each side." in said
    )
    predictions(set(), range(50, 60)).to_csv("none.csv", index=False)
    assert "none.csv and . have no test video in common" in call("none.csv", ".", status=1)


def test_versions_aliases_and_runs_are_found_in_mlflow(mlflow_project: Path) -> None:
    here(mlflow_project, WORSE)
    client = connect(f"sqlite:///{mlflow_project}/mlflow.db")
    run = client.create_run(client.create_experiment("reelflow")).info.run_id
    client.log_artifact(run, "reports/predictions.csv", "reports")
    client.create_registered_model("reelflow")
    client.create_model_version("reelflow", str(mlflow_project), run)
    client.set_registered_model_alias("reelflow", "champion", "1")
    here(mlflow_project, BETTER)
    for name in ("1", "champion", "models:/reelflow/1", "models:/reelflow@champion", run):
        assert figures(name)["better"] == "second", name
    assert "than version 1, by more than noise" in call("1")
    for name in ("2", "nobody", "models:/other/1", "0" * 32):
        assert f"There is no {name}: neither a file" in call(name, status=1)


def test_a_revision_of_git_is_read_from_dvcs_cache(project: Path) -> None:
    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, timeout=600)

    dvc = (sys.executable, "-m", "dvc")
    run("git", "init", "-q")
    run(*dvc, "init", "-q")
    here(project, WORSE)
    run(*dvc, "add", "-q", "reports/predictions.csv")
    run("git", "add", ".")
    run("git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first")
    here(project, BETTER)
    assert figures("HEAD")["better"] == "second"
    shutil.rmtree(".dvc/cache")
    assert "HEAD is a revision of git, but its reports/predictions.csv" in call("HEAD", status=1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "a table of predictions has the columns confidence, group, hash, "),
        ("", "bad.csv cannot be read"),
        ("hash,path,label,group,predicted,confidence\na,b,c,d,c,much\n", "bad.csv cannot be read"),
    ],
)
def test_a_table_that_is_none_is_refused_in_a_sentence(project: Path, text: str, says: str) -> None:
    here(project, set())
    Path("bad.csv").write_text(text, encoding="utf-8")
    assert says in call("bad.csv", status=1)
    Path("reports/predictions.csv").unlink()
    assert "There is no reports/predictions.csv here" in call(".", status=1)
