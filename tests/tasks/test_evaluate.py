"""Stage `evaluate`, on a tiny model and noise for videos: what it writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from reelflow.base.csv_table import read_written, write_table
from reelflow.base.errors import DataError
from reelflow.store.frame_store import FrameStore
from reelflow.training.model_file import save_model
from tasks import evaluate
from tests.conftest import ROOT
from tests.dataset import SPEC, grid, manifest_of, write_dataset

# Keras 3.15 asks NumPy for an array in a way that NumPy is about to drop; nothing here does.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LABELS = ("NA", "jump", "wave")
FORMULA = "=jump()/g0.mp4"
OUTPUTS = (
    "metrics/evaluate.json",
    "metrics/summary.json",
    "reports/predictions.csv",
    "reports/index.html",
    "plots/confusion.csv",
    "plots/roc.csv",
    "plots/pr.csv",
    "plots/reliability.csv",
    "plots/coverage.csv",
)


def tiny_model() -> Any:
    import keras

    keras.utils.set_random_seed(1)
    clip = keras.Input(SPEC.shape, dtype="uint8")
    x = keras.layers.Rescaling(1 / 64, offset=-2.0)(clip)
    x = keras.layers.Flatten()(keras.layers.Conv3D(4, 3, strides=2, activation="relu")(x))
    return keras.Model(clip, keras.layers.Dense(len(LABELS), activation="softmax")(x))


def write_project(folder: Path) -> None:
    """Everything that `evaluate` reads: 36 videos, split by group, and an untrained model."""
    shutil.copy(ROOT / "params.yaml", folder)
    manifest = manifest_of(grid(LABELS))
    # One class is really called NA, one file has a name to stumble over, one has no group.
    manifest.loc[manifest["path"] == "NA/g0_0.mp4", ["path", "group"]] = ['NA/<i>,".mp4', None]
    manifest.loc[manifest["path"] == "jump/g0_0.mp4", "path"] = FORMULA
    manifest = manifest.sort_values("path", ignore_index=True)
    # The official split has no test: `preprocess` drew it from the training videos.
    validated = manifest["path"].str.contains("/g2")
    manifest["split"] = validated.map({True: "validation", False: "train"})
    write_dataset(folder, manifest)
    (folder / "data/prepared").mkdir(parents=True)
    videos = manifest.assign(target=manifest["label"].map(list(LABELS).index))
    number = manifest["path"].str.extract(r"/g(\d)")[0].fillna("0").astype(int)
    for name, chosen in {
        "test": number < 2,
        "validation": number == 2,
        "train": number > 2,
    }.items():
        rows = videos.loc[chosen, ["hash", "path", "label", "target", "group"]]
        write_table(folder / f"data/prepared/{name}.csv", rows)
    meta = {"labels": LABELS, "data_hash": "d" * 64, "clip": SPEC.to_dict()}
    _write(folder / "data/prepared/meta.json", meta)
    _write(
        folder / "models/model.json",
        {**meta, "network": "cnn", "params": {"epochs": 3, "seed": 0}},
    )
    save_model(tiny_model(), folder / "models/model.keras")
    told = {"share": 0.9, "low": 0.8, "high": 1.0, "alarming": True}
    _write(folder / "metrics/validate.json", {"told": {"the size": told}})
    best = {"best_epoch": 2, "accuracy": 0.5, "val_accuracy": 0.4}
    _write(folder / "metrics/train.json", best)
    (folder / "plots").mkdir()
    (folder / "plots/train.csv").write_text(
        "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate\n"
        "1,1.1,0.3,1.2,0.3,0.001\n2,0.9,0.5,1.0,0.4,0.001\n3,0.7,0.6,1.3,0.4,0.001\n"
    )


def _write(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the stage has run once."""
    folder = tmp_path_factory.mktemp("project")
    write_project(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        evaluate.main()
    return folder


@pytest.fixture
def copied(evaluated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it without the outputs, to be spoilt."""
    folder = tmp_path / "copy"
    shutil.copytree(evaluated, folder, ignore=lambda *_: ["evaluate.json", "reports"])
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def predictions(evaluated: Path) -> pd.DataFrame:
    return read_written(evaluated / "reports/predictions.csv", keep_default_na=False)


def test_every_output_that_the_graph_names_is_written(evaluated: Path) -> None:
    assert all((evaluated / path).stat().st_size for path in OUTPUTS)


def test_predictions_are_a_row_a_test_video_in_the_order_of_paths(
    evaluated: Path, predictions: pd.DataFrame
) -> None:
    test = read_written(evaluated / "data/prepared/test.csv", keep_default_na=False)
    assert FORMULA in predictions["path"].tolist()
    assert f",'{FORMULA}," in (evaluated / "reports/predictions.csv").read_text()
    assert predictions["path"].tolist() == sorted(test["path"])
    assert predictions["label"].tolist() == test["label"].tolist()
    assert predictions["group"].tolist()[1] == ""
    assert list(predictions.columns) == [
        "hash", "path", "label", "group", "predicted", "confidence", "p_NA", "p_jump", "p_wave",
    ]  # fmt: skip


def test_probabilities_are_those_of_keras_to_the_last_bit(
    evaluated: Path, predictions: pd.DataFrame
) -> None:
    import keras

    model = keras.models.load_model(evaluated / "models/model.keras")
    store = FrameStore(evaluated / "data/frames")
    for row in predictions.to_dict("records"):
        expected = model.predict_on_batch(store.frames(row["hash"])[None])[0]
        found = np.array([row[f"p_{label}"] for label in LABELS]).astype(np.float32)
        assert found.tolist() == expected.tolist()
        assert row["predicted"] == LABELS[int(expected.argmax())]
        assert np.float32(row["confidence"]) == expected.max()


def test_figures_agree_with_the_predictions(evaluated: Path, predictions: pd.DataFrame) -> None:
    scores = json.loads((evaluated / "metrics/evaluate.json").read_text())
    right = predictions["label"] == predictions["predicted"]
    assert scores["accuracy"] == pytest.approx(right.mean(), abs=1e-6)
    balanced = balanced_accuracy_score(predictions["label"], predictions["predicted"])
    assert scores["balanced_accuracy"] == pytest.approx(balanced, abs=1e-6)
    assert scores["videos"] == 12
    assert scores["groups"] == 3
    assert scores["baseline_accuracy"] == pytest.approx(1 / 3, abs=1e-6)
    assert list(scores["per_class"]) == list(LABELS)


def test_whose_test_it_is_and_what_a_model_without_pictures_tells_come_first(
    evaluated: Path,
) -> None:
    scores = json.loads((evaluated / "metrics/evaluate.json").read_text())
    assert "test videos drawn from the official training part" in scores["verdict"]["headline"]
    made_up, told = scores["cautions"][1:3]
    assert made_up.startswith("The official split has no test")
    assert made_up.endswith("this model is right for 40%.")
    assert told.startswith(
        "A model without pictures is as good: from the size alone, a small model reaches 90%"
    )
    assert any(
        caution.startswith("1 of 36 videos have no known group") for caution in scores["cautions"]
    )
    page = (evaluated / "reports/index.html").read_text(encoding="utf-8")
    order = [page.index(words) for words in (scores["verdict"]["headline"], told, "Class by class")]
    assert order == sorted(order)


def test_runs_are_compared_by_eight_numbers_at_most(evaluated: Path) -> None:
    scores = json.loads((evaluated / "metrics/evaluate.json").read_text())
    summary = json.loads((evaluated / "metrics/summary.json").read_text())
    history = pd.read_csv(evaluated / "plots/train.csv")
    best = history.loc[history["val_loss"].idxmin(), "val_accuracy"]
    assert summary.pop("val_accuracy") == pytest.approx(best, abs=1e-6)
    assert 4 <= len(summary) <= 7
    assert {name: scores[name] for name in summary} == summary
    assert {"accuracy", "accuracy_low", "baseline_accuracy", "videos"} <= set(summary)


def test_the_confusion_plot_has_a_row_a_video(evaluated: Path, predictions: pd.DataFrame) -> None:
    rows = pd.read_csv(evaluated / "plots/confusion.csv", keep_default_na=False)
    expected = predictions[["label", "predicted"]].rename(columns={"label": "actual"})
    pd.testing.assert_frame_equal(rows, expected)


def test_the_report_names_the_hashes_and_versions(evaluated: Path) -> None:
    import hashlib

    page = (evaluated / "reports/index.html").read_text(encoding="utf-8")
    model = hashlib.sha256((evaluated / "models/model.keras").read_bytes()).hexdigest()
    for words in (model, "d" * 64, "TensorFlow", "ffmpeg"):
        assert words in page
    assert str(evaluated) not in page


def test_a_temperature_makes_answers_less_sure_and_changes_none(
    copied: Path, predictions: pd.DataFrame
) -> None:
    card, names = Path("models/model.json"), [f"p_{label}" for label in LABELS]
    _write(card, {**json.loads(card.read_text()), "temperature": 2.5})
    left_out = read_written(Path("data/prepared/train.csv"))[["hash"]]
    write_table(Path("models/left_out.csv"), left_out.assign(p_NA=0.6, p_jump=0.3, p_wave=0.1))
    evaluate.main()
    found = read_written(Path("reports/predictions.csv"), keep_default_na=False)
    assert found["predicted"].tolist() == predictions["predicted"].tolist()
    before = predictions[names].to_numpy(float) ** (1 / 2.5)
    assert found[names].to_numpy(float) == pytest.approx(
        before / before.sum(axis=1, keepdims=True), abs=1e-6
    )
    scores = json.loads(Path("metrics/evaluate.json").read_text())
    assert scores["calibration"]["temperature"] == 2.5
    assert scores["calibration"]["brier"] == pytest.approx(scores["brier"], abs=1e-5)
    assert scores["abstention"]["chosen"] is None, "a third of the left-out answers is right"
    page = Path("reports/index.html").read_text(encoding="utf-8")
    assert "Before its temperature of 2.50" in page
    assert "No confidence was found" in page


def test_a_second_run_gives_the_same_bytes(evaluated: Path, copied: Path) -> None:
    evaluate.main()
    for path in OUTPUTS:
        assert (copied / path).read_bytes() == (evaluated / path).read_bytes(), path


def test_a_model_of_other_data_is_refused(copied: Path) -> None:
    meta = json.loads(Path("data/prepared/meta.json").read_text())
    _write(Path("data/prepared/meta.json"), {**meta, "data_hash": "e" * 64})
    refused("was trained on other data")


def test_a_test_video_that_was_trained_on_is_refused(copied: Path) -> None:
    train, test = Path("data/prepared/train.csv"), Path("data/prepared/test.csv")
    train.write_text(train.read_text() + test.read_text().splitlines()[-1] + "\n")
    refused(r"1 of the test videos .* wave/g1_1\.mp4")


def test_a_model_that_gives_no_numbers_is_refused(copied: Path) -> None:
    model = tiny_model()
    model.set_weights([weight * np.nan for weight in model.get_weights()])
    save_model(model, Path("models/model.keras"))
    refused("diverged. Lower train.learning_rate")


@pytest.mark.parametrize(
    "path",
    [
        "models/model.json", "models/model.keras", "data/prepared/test.csv", "plots/train.csv",
        "metrics/train.json",
    ],
)  # fmt: skip
def test_a_missing_input_is_named_and_nothing_is_written(copied: Path, path: str) -> None:
    Path(path).unlink()
    refused(path)


def refused(words: str) -> None:
    with pytest.raises(DataError, match=words):
        evaluate.main()
    assert not Path("reports/index.html").exists()
    assert not Path("metrics/evaluate.json").exists()


def test_one_group_and_one_class_in_the_test_still_give_a_report(copied: Path) -> None:
    test = Path("data/prepared/test.csv")
    rows = pd.read_csv(test, keep_default_na=False)
    rows[(rows["label"] == "wave") & (rows["group"] == "g1")].to_csv(test, index=False)
    evaluate.main()
    scores = json.loads(Path("metrics/evaluate.json").read_text())
    assert scores["accuracy_low"] is None
    assert scores["per_class"]["jump"]["recall"] is None
    assert Path("plots/roc.csv").read_text() == "label,fpr,tpr\n"
    assert "Nothing is known about" in Path("reports/index.html").read_text(encoding="utf-8")
