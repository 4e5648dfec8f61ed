"""`reelflow explain` as people type it, with a tiny network that nobody trained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from cli.explain import explain
from cli.options import SETTINGS
from reelflow.registry.ask_model import Answer
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from tasks.explain import Opened, explain_videos
from tests.conftest import MakeVideo

LABELS = ["run", "sit é"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `models` of a checkout: a network that looks at the left half alone."""
    import keras
    from keras import layers

    inputs = keras.Input((4, 16, 16, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv3D(1, 1, use_bias=False)(x)
    x = layers.Cropping3D(((0, 0), (0, 0), (0, 8)))(x)
    x = layers.GlobalAveragePooling3D()(x)
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    kernel = np.full((1, 1, 1, 3, 1), 1 / 3, np.float32)
    model.set_weights([kernel, np.float32([[0, 6]]), np.float32([0, -1])])
    folder = tmp_path_factory.mktemp("models")
    model.save(folder / "model.keras")
    card = {"labels": LABELS, "clip": ClipSpec(4, 16, 16).to_dict()}
    (folder / "model.json").write_text(json.dumps(card))
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_video: MakeVideo) -> Path:
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "a b.mp4", size="64x64")
    return tmp_path


def call(*arguments: str) -> Result:
    app = typer.Typer()
    app.command(context_settings=SETTINGS)(explain)
    return CliRunner().invoke(app, list(arguments))


def test_a_film_a_strip_json_a_page_and_the_checks(here: Path, models: Path) -> None:
    result = call("a b.mp4", "--model", str(models), "--check")
    assert result.exit_code == 0, result.output
    assert "sit é" in result.stdout and "reports/explain/index.html" in result.stdout
    folder = here / "reports/explain/a_b"
    told = json.loads((folder / "explanation.json").read_text("utf-8"))
    assert told["explained"] == told["answer"]["label"] == "sit é"
    cells = np.array(told["occlusion"])
    assert np.abs(cells[..., :4]).sum() > 50 * np.abs(cells[..., 5:]).sum()  # the left half
    assert check_video(folder / "explained.mp4", Bounds()).frames == 4
    assert (folder / "strip.png").read_bytes()[:4] == b"\x89PNG"
    page = (here / "reports/explain/index.html").read_text("utf-8")
    assert 'src="a_b/explained.mp4"' in page and "sit é" in page
    assert "hardly depends" in page or "it changes when what was learned is taken away" in page
    metrics = json.loads((here / "metrics/explain.json").read_text("utf-8"))
    assert metrics["videos"] == 1
    assert set(metrics["maps"]) == {"occlusion", "grad_cam"}
    assert metrics["maps"]["occlusion"]["passes"]["box"] is None


def test_another_label_and_two_videos_of_one_name(here: Path, models: Path) -> None:
    (here / "other").mkdir()
    (here / "other/a b.mp4").write_bytes((here / "a b.mp4").read_bytes())
    result = call("a b.mp4", "other", "--model", str(models), "--label", "run", "--out", "o")
    assert result.exit_code == 0, result.output
    told = [json.loads((here / "o" / n / "explanation.json").read_text()) for n in ("a_b", "a_b-2")]
    assert [one["explained"] for one in told] == ["run", "run"]
    assert not (here / "metrics").exists()
    assert "Explained is what speaks for" in (here / "o/index.html").read_text("utf-8")


def test_what_cannot_be_explained_is_said_after_what_can(here: Path, models: Path) -> None:
    (here / "bad.mp4").write_text("no video")
    result = call("bad.mp4", "none.mp4", "a b.mp4", "--model", str(models))
    assert result.exit_code == 1
    assert "none.mp4: There is no such file." in result.stderr
    assert "bad.mp4: It is text" in result.stderr
    assert "a b.mp4" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "nothing"], "nothing is no folder that holds a model"),
        ([], "There is no MLflow here"),
    ],
)
def test_no_model_is_a_sentence(here: Path, arguments: list[str], sentence: str) -> None:
    result = call("a b.mp4", *arguments)
    assert result.exit_code == 1
    assert sentence in str(result.exception)


def test_an_unknown_label_is_a_sentence(here: Path, models: Path) -> None:
    result = call("a b.mp4", "--model", str(models), "--label", "fly")
    assert "no label 'fly'; it knows run, sit é" in str(result.exception)


def test_a_registered_model_whose_own_code_answers_otherwise_is_told(
    here: Path, models: Path
) -> None:
    card = json.loads((models / "model.json").read_text("utf-8"))

    def explained(answer: Answer) -> list[str]:
        model = Opened("models:/x/1", models / "model.keras", card, lambda file: answer)
        return explain_videos(["a b.mp4"], model, here / "o").videos[0]["cautions"]

    today = explained(Answer("", error="It has no frames."))
    assert today == ["The registered model's own code cannot use this video: It has no frames."]
    other = Answer("", "run", 0.9, {"run": 0.9, "sit é": 0.1})
    assert "answers with its own code run 0.900, today's code gives 0." in explained(other)[0]
    told = json.loads((here / "o/a_b/explanation.json").read_text("utf-8"))
    same = told["answer"]["probabilities"]
    assert explained(Answer("", "sit é", same["sit é"], same)) == []
