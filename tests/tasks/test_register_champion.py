"""Who becomes the champion when the stage `register` runs, on a true MLflow."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from reelflow.registry.promotion import Comparison
from tasks import register
from tests.outputs import LABELS, VERDICT, write_outputs
from tests.tasks.registered import mlflow, outputs, runs, versions

__all__ = ["outputs"]  # a fixture

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


def set_params(section: str = "register", **values: Any) -> None:
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    params[section] |= values
    Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def test_below_the_minimum_it_is_a_challenger_only_and_the_reason_is_kept(outputs: Path) -> None:
    set_params(min_metric=0.8)
    register.main()
    [version] = versions()
    assert version.aliases == ["challenger"]
    assert version.tags["reelflow.reason"].endswith(
        "balanced_accuracy 0.75 is below the minimum of 0.8."
    )
    assert version.tags["reelflow.decision"] == "challenger"
    assert json.loads(Path("metrics/register.json").read_text())["reached_minimum"] is False


def test_a_lower_minimum_makes_the_same_version_the_champion(outputs: Path) -> None:
    set_params(min_metric=0.8)
    register.main()
    set_params(min_metric=0.7)
    register.main()
    [version] = versions()
    assert sorted(version.aliases) == ["challenger", "champion"]
    assert [run.data.params["register.min_metric"] for run in runs()] == ["0.7", "0.8"]
    assert version.tags["reelflow.run_id"] == runs()[0].info.run_id != version.run_id


def test_the_champion_stays_it_when_it_is_registered_again(outputs: Path) -> None:
    register.main()
    set_params(min_metric=0.99)
    register.main()
    [version] = versions()
    assert sorted(version.aliases) == ["challenger", "champion"]
    assert (
        "balanced_accuracy 0.75 is below the minimum of 0.99. It was made the champion by "
        in (version.tags["reelflow.reason"])
    )
    set_params(min_metric=0.6)
    register.main()
    assert (
        versions()[0]
        .tags["reelflow.reason"]
        .endswith("reaches the minimum of 0.6. There was no champion.")
    )


def test_a_champion_that_a_person_made_is_told_so_and_not_by_why_it_was_refused(
    outputs: Path,
) -> None:
    set_params(min_metric=0.8)
    register.main()
    mlflow().set_registered_model_alias("reelflow", "champion", "1")
    set_params(min_metric=0.7)
    register.main()
    assert (
        versions()[0]
        .tags["reelflow.reason"]
        .endswith("reaches the minimum of 0.7. It is the champion already.")
    )


def test_a_model_that_is_not_proven_is_no_champion_unless_the_minimum_is_all_that_is_asked(
    outputs: Path,
) -> None:
    verdict = replace(VERDICT, code="unproven", sentence="It is not shown to beat one.")
    write_outputs(Path(), verdict=asdict(verdict))
    register.main()
    [version] = versions()
    assert version.aliases == ["challenger"]
    assert version.tags["reelflow.reason"].startswith("It is not shown to beat one.")
    assert json.loads(Path("metrics/register.json").read_text())["verdict"] == "unproven"
    set_params(rule="minimum")
    register.main()
    assert sorted(versions()[0].aliases) == ["challenger", "champion"]


@pytest.fixture
def asked(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A champion is registered and another model is there; the paths that the champion is asked.

    On every question it is right for 0.5 and the new model for 0.6.
    """
    register.main()
    Path("models/model.keras").write_bytes(b"another model")
    for path in pd.read_csv("data/prepared/test.csv")["path"]:
        (Path("data/raw") / path).parent.mkdir(parents=True, exist_ok=True)
        (Path("data/raw") / path).write_bytes(b"a video")
    paths: list[str] = []

    def measure(metric, version, videos, labels) -> Comparison:
        assert (metric, str(version.version), labels) == ("balanced_accuracy", "1", LABELS)
        assert set(videos["predicted"][videos["label"] == "jump"]) == {"jump"}
        paths.extend(file.as_posix() for file in videos["file"])
        return Comparison("1", 0.5, own=0.6)

    monkeypatch.setattr(register, "measure", measure)
    return paths


TESTED = [f"data/raw/{label}/{i}.mp4" for label in LABELS for i in range(2)]


def learn(*rows: tuple[int, str]) -> None:
    """Let the champion's run tell that it was trained on these videos, besides its own: as if
    data/ledger.csv had been deleted since, and the videos divided anew."""
    train = pd.read_csv("data/prepared/train.csv")
    more = pd.DataFrame({"hash": [f"{i:064x}" for i, _ in rows], "group": [g for _, g in rows]})
    Path("record").mkdir()
    pd.concat([train, more]).to_csv("record/train.csv", index=False)
    mlflow().log_artifact(versions()[0].run_id, "record/train.csv", "data/prepared")


def test_the_champion_is_measured_on_the_test_videos_of_today(asked: list[str]) -> None:
    register.main()
    assert asked == TESTED
    old, new = versions()
    assert old.aliases == []
    assert sorted(new.aliases) == ["challenger", "champion"]
    assert new.tags["reelflow.reason"].endswith(
        "version 1, has 0.5 on the same videos, this one 0.6."
    )


def test_a_test_video_without_an_answer_counts_as_a_wrong_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("data/raw", "reports"):
        Path(folder).mkdir(parents=True)
    for name in "ab":
        Path(f"data/raw/{name}.mp4").touch()
    Path("reports/predictions.csv").write_text("path,predicted\na.mp4,jump\n")
    found = register._asked(pd.DataFrame({"path": ["a.mp4", "b.mp4"], "label": "jump"}))
    assert list(found["predicted"]) == ["jump", ""]


def test_the_champion_is_not_measured_on_what_it_was_trained_on(asked: list[str]) -> None:
    set_params("evaluate", min_videos=3, min_groups=2)
    learn((1, "g1"))
    register.main()
    assert asked == [TESTED[0], *TESTED[3:]], "the second is of the group g1, as the third"
    assert (
        "2 of 6 test videos are left out: it was trained on them"
        in versions()[1].tags["reelflow.reason"]
    )
    assert "champion" in versions()[1].aliases


def test_with_too_few_videos_that_it_has_not_seen_the_champion_stays(asked: list[str]) -> None:
    learn((1, "g1"))
    register.main()
    assert asked == []
    old, new = versions()
    assert (old.aliases, new.aliases) == (["champion"], ["challenger"])
    assert (
        "The 4 of 4 groups that are left are too few to compare by" in new.tags["reelflow.reason"]
    )
    assert "Give this version the alias `champion` by hand" in new.tags["reelflow.reason"]


def test_a_champion_of_which_nobody_knows_what_it_was_trained_on_stays(
    asked: list[str],
) -> None:
    uri = mlflow().get_run(versions()[0].run_id).info.artifact_uri
    shutil.rmtree(Path(uri.removeprefix("file://")) / "data")
    register.main()
    assert asked == []
    old, new = versions()
    assert (old.aliases, new.aliases) == (["champion"], ["challenger"])
    assert "stays: there is no record of what it was trained on" in new.tags["reelflow.reason"]
