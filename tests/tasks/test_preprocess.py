from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.base.errors import DataError
from reelflow.base.split_names import SPLITS
from reelflow.dataset.split_ledger import Ledger
from reelflow.store.frame_store import FrameStore
from tasks.preprocess import main
from tests.dataset import SPEC, grid, manifest_of, write_dataset


def outputs() -> dict[str, bytes]:
    files = [
        *Path("data/prepared").iterdir(),
        Path("data/ledger.csv"),
        Path("metrics/preprocess.json"),
    ]
    return {str(path): path.read_bytes() for path in files}


def table(split: str) -> pd.DataFrame:
    return pd.read_csv(f"data/prepared/{split}.csv", keep_default_na=False)


def meta() -> dict[str, object]:
    content: dict[str, object] = json.loads(Path("data/prepared/meta.json").read_text("utf-8"))
    return content


@pytest.fixture
def data(project: Path) -> Iterator[Path]:
    write_dataset(project, manifest_of(grid(groups=12)))
    yield project
    left = list(project.rglob(".tmp-*"))
    assert not left, "a stage must leave no temporary file"


def test_every_video_stands_in_one_split_with_its_target(data: Path) -> None:
    main()
    tables = {split: table(split) for split in SPLITS}
    rows = pd.concat(tables.values())
    manifest = pd.read_parquet("data/manifest.parquet")
    assert sorted(rows["hash"]) == sorted(manifest["hash"])
    assert list(rows.columns) == ["hash", "path", "label", "target", "group"]
    assert meta()["labels"] == ["bend", "jump", "wave"]
    assert (rows["target"] == rows["label"].map({"bend": 0, "jump": 1, "wave": 2})).all()
    assert all(part["path"].is_monotonic_increasing for part in tables.values())
    metrics = json.loads(Path("metrics/preprocess.json").read_text("utf-8"))
    assert metrics["videos"] == {split: len(part) for split, part in tables.items()}
    assert metrics["groups"] == {split: part["group"].nunique() for split, part in tables.items()}
    assert metrics["classes"]["jump"]["test"] == (tables["test"]["label"] == "jump").sum()
    assert sum(metrics["share"].values()) == pytest.approx(1, abs=2e-4)


def test_the_statistics_are_those_of_the_training_videos_alone(data: Path) -> None:
    main()
    store = FrameStore(Path("data/frames"))
    pixels = np.concatenate([store.frames(h) for h in table("train")["hash"]]).reshape(-1, 3)
    found = meta()["normalisation"]
    assert isinstance(found, dict)
    assert found["mean"] == pytest.approx(pixels.mean(axis=0), rel=1e-9)
    assert found["std"] == pytest.approx(pixels.std(axis=0), rel=1e-9)
    assert meta()["class_weights"] == {"bend": 1.0, "jump": 1.0, "wave": 1.0}
    assert meta()["clip"] == SPEC.to_dict()
    assert meta()["groups_known"] is True


def test_the_same_input_gives_the_same_bytes_with_and_without_the_ledger(data: Path) -> None:
    main()
    first = outputs()
    main()
    assert outputs() == first
    Path("data/ledger.csv").unlink()
    main()
    assert outputs() == first


def test_videos_keep_their_split_when_the_data_grow(data: Path) -> None:
    main()
    before = pd.read_csv("data/ledger.csv").set_index("hash")["split"]
    data_hash = meta()["data_hash"]
    write_dataset(data, manifest_of(grid(groups=20)))
    main()
    after = pd.read_csv("data/ledger.csv").set_index("hash")["split"]
    assert after.loc[before.index].equals(before)
    assert len(after) > len(before)
    assert meta()["data_hash"] != data_hash


def test_a_run_killed_before_the_ledger_is_written_ends_the_same_when_repeated(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main()
    wanted = outputs()
    Path("data/ledger.csv").unlink()

    def killed(self: Ledger) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            main()
    assert not Path("data/ledger.csv").exists()
    main()
    assert outputs() == wanted


def test_a_ledger_of_another_data_set_is_begun_anew_and_that_is_said(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    main()
    write_dataset(data, manifest_of(grid(labels=("sit", "run"), groups=12)))
    with caplog.at_level(logging.INFO):
        main()
    assert "another data set's" in caplog.text
    assert set(pd.read_csv("data/ledger.csv")["label"]) == {"sit", "run"}


def test_a_group_that_the_names_carry_is_offered_with_its_pattern(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [
        f"{c}/v_{c}_g{g:02d}_c{i:02d}.avi"
        for c in ("Bend", "Jump")
        for g in range(9)
        for i in (1, 2)
    ]
    write_dataset(project, manifest_of([(path, None) for path in paths]))
    main()
    assert "No video has a known group." in caplog.text
    assert r"ingest.group_pattern: '_(?P<group>g\d+)_' would read 9 groups." in caplog.text
    assert json.loads(Path("metrics/preprocess.json").read_text("utf-8"))["warnings"] == 1
    assert meta()["groups_known"] is False
    assert set(table("test")["group"]) == {""}

    # Taking the offer tears what was divided video by video, unless the ledger goes first.
    groups = [(path, path[-11:-8]) for path in paths]
    write_dataset(project, manifest_of(groups))
    with pytest.raises(DataError, match=r"delete data/ledger\.csv"):
        main()
    Path("data/ledger.csv").unlink()
    main()
    tests = set(table("test")["group"])
    assert tests.isdisjoint(table("train")["group"])


def test_a_test_that_the_official_split_lacks_is_said_to_be_made_up(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    manifest = manifest_of(grid(groups=12))
    validated = manifest["group"].isin(["g0", "g1", "g2"])
    manifest["split"] = validated.map({True: "validation", False: "train"})
    write_dataset(project, manifest)
    main()
    assert "has no test (train and validation alone): the test is drawn from its" in caplog.text
    assert "import with the option `--split-value validation=test`" in caplog.text
    caplog.clear()
    manifest["split"] = validated.map({True: "test", False: "train"})
    write_dataset(project, manifest)
    main()
    assert "split-value" not in caplog.text
    assert set(table("test")["group"]) == {"g0", "g1", "g2"}


def test_few_groups_in_the_test_are_warned_of(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_dataset(project, manifest_of(grid(groups=4)))
    main()
    assert "The test has 6 videos of 1 group, fewer" in caplog.text


def test_labels_that_look_like_missing_values_stay_labels(project: Path) -> None:
    write_dataset(project, manifest_of(grid(labels=("NA", "None", "a,b"), groups=12)))
    main()
    main()
    assert meta()["labels"] == ["NA", "None", "a,b"]
    assert set(table("test")["label"]) == {"NA", "None", "a,b"}
