"""The model that takes videos, without TensorFlow: what goes in, what comes out, what it needs."""

from __future__ import annotations

import ast
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from reelflow.extraction.read_clips import read_clip
from reelflow.registry.packaging import REQUIRED, requirements, signature
from reelflow.store.clip_spec import ClipSpec
from reelflow.training.familiarity import Familiarity
from reelflow.video.process_limits import Bounds
from tests.closure import closure
from tests.conftest import ROOT, MakeVideo

if TYPE_CHECKING:
    from reelflow.registry.pyfunc_model import VideoModel

# MLflow warns of its own types while it is imported, which is why that happens inside the tests.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

SPEC = ClipSpec(frames=3, height=16, width=24)
SCORES = np.array([0.1, 0.7, 0.2], np.float32)


class Recorder:
    """Stands for a Keras model; remembers the batches that it was given."""

    input_shape = (None, *SPEC.shape)
    inputs = (SimpleNamespace(dtype="uint8"),)

    def __init__(self) -> None:
        self.batches: list[np.ndarray] = []

    def predict_on_batch(self, batch: np.ndarray) -> np.ndarray:
        self.batches.append(batch)
        return SCORES[np.newaxis]


@pytest.fixture
def model() -> VideoModel:
    from reelflow.registry.pyfunc_model import VideoModel

    model = VideoModel()
    model.labels, model.spec, model.bounds = ["run", "sit é", "walk"], SPEC, Bounds()
    model.model = Recorder()
    return model


def ask(model: VideoModel, **columns: list[object]) -> pd.DataFrame:
    return model.predict(None, pd.DataFrame(columns, dtype=object))


def test_a_path_is_answered_from_the_clip_of_training(
    model: VideoModel, make_video: MakeVideo, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "x.mp4")
    [answer] = ask(model, path=[str(video)]).to_dict("records")
    [batch] = model.model.batches
    np.testing.assert_array_equal(batch[0], read_clip(video, SPEC).frames)
    assert answer["label"] == "sit é"
    assert answer["confidence"] == 0.7
    assert answer["error"] is None


def test_the_numbers_are_those_that_evaluate_writes(
    model: VideoModel, make_video: MakeVideo, tmp_path: Path
) -> None:
    answers = ask(model, path=[str(make_video(tmp_path / "x.mp4"))])
    written = pd.DataFrame(SCORES[np.newaxis]).to_csv(index=False, header=False).strip()
    assert written == "0.1,0.7,0.2"
    columns = ["p_run", "p_sit é", "p_walk"]
    assert ",".join(str(answers[name][0]) for name in columns) == written
    assert (answers[columns].to_numpy(np.float32)[0] == SCORES).all()


def test_the_temperature_of_the_card_is_that_of_the_answers(
    model: VideoModel, make_video: MakeVideo, tmp_path: Path
) -> None:
    model.temperature = 2.0
    answers = ask(model, path=[str(make_video(tmp_path / "x.mp4"))])
    roots = np.sqrt(SCORES)
    assert answers["confidence"][0] == pytest.approx(roots[1] / roots.sum(), abs=1e-6)
    assert answers["label"][0] == "sit é"


def test_a_clip_unlike_those_of_training_has_a_caution_and_its_answer(
    model: VideoModel, make_video: MakeVideo, tmp_path: Path
) -> None:
    video = str(make_video(tmp_path / "x.mp4"))
    axis, far = np.ones((1, 1), np.float32), np.float32(3.0)
    for threshold, said in ((4.0, None), (2.0, "1.5 times as far as 95 %")):
        model.familiarity = Familiarity(np.zeros(1, np.float32), axis, 0 * axis, threshold)
        model.features = lambda views: np.array([far])
        answers = ask(model, path=[video, "nowhere.mp4"])
        assert answers["label"].tolist() == ["sit é", None]
        assert (said is None) == (answers["caution"][0] is None)
        assert said is None or said in answers["caution"][0]
        assert answers["caution"][1] is None


def test_bytes_are_answered_as_the_file_is(
    model: VideoModel, make_video: MakeVideo, tmp_path: Path
) -> None:
    video = make_video(tmp_path / "x.mp4")
    ask(model, path=[str(video), None], video=[None, video.read_bytes()])
    by_path, by_bytes = model.model.batches
    np.testing.assert_array_equal(by_path, by_bytes)


def test_a_bad_video_among_others_has_an_error_and_they_have_answers(
    model: VideoModel, make_video: MakeVideo, tmp_path: Path
) -> None:
    good = str(make_video(tmp_path / "x.mp4"))
    bad = tmp_path / "text.mp4"
    bad.write_text("no video")
    answers = ask(model, path=[good, str(bad), str(tmp_path), "nowhere.mp4", None, "a\0b", good])
    assert answers["label"].notna().tolist() == [True, *[False] * 5, True]
    assert answers["p_run"].notna().tolist() == [True, *[False] * 5, True]
    assert answers["error"].notna().tolist() == [False, *[True] * 5, False]
    assert answers.iloc[3, :-1].tolist() == [None] * 6, "NaN would be no JSON"
    assert answers["error"][1].startswith("It is text, no video.")
    assert answers["error"][3].startswith("There is no such file.")
    assert len(model.model.batches) == 2, "nothing stands in for a clip that cannot be read"


def test_a_name_that_is_no_utf_8_is_told(model: VideoModel) -> None:
    assert "not valid UTF-8" in ask(model, path=["b\udcff.avi"])["error"][0]


def test_a_table_without_videos_is_refused(model: VideoModel) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="a column `path`.* or `video`"):
        ask(model, file=["x.mp4"])


def test_the_answer_has_the_columns_of_the_signature(model: VideoModel) -> None:
    columns = ask(model, path=["nowhere.mp4"]).columns.tolist()
    assert columns == signature(model.labels).outputs.input_names()


def test_the_requirements_are_what_the_model_imports_pinned_to_what_is_here() -> None:
    imported = set()
    for file in closure("reelflow.registry.pyfunc_model"):
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    outside = imported - set(sys.stdlib_module_names) - {"reelflow", "mlflow"}
    distributions = packages_distributions()
    needed = {distributions[name][0].lower() for name in outside}
    assert needed == set(REQUIRED)
    assert f"tensorflow=={version('tensorflow')}" in requirements()
