"""Asking a model in a process of its own: its own code, any name of a file, crashes and faults.

The models here are tiny tables of code without TensorFlow, saved by MLflow as ours are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reelflow.registry.ask_model import AskedModel, ModelError, asking
from reelflow.tracking.mlflow_client import TrackingError, address_from_environment

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

OLD_PACKAGE = "VERSION = 'of the model'\n"
OLD_MODEL = """
import os, signal
import mlflow, pandas as pd
from mlflow.pyfunc import PythonModel

class Old(PythonModel):
    def predict(self, context, model_input: pd.DataFrame, params=None):
        import reelflow
        rows = []
        for path in model_input["path"]:
            name = os.path.basename(path)
            print("a line on stdout that is no answer")
            if name == "crash.mp4":
                os.kill(os.getpid(), signal.SIGSEGV)
            if name == "fault.mp4":
                raise RuntimeError("the model is broken")
            if name == "bad.mp4":
                rows.append({"error": "It is bad. Leave it out."})
            else:
                rows.append({"label": reelflow.VERSION, "confidence": 0.75, "p_b": 0.75,
                             "p_a": 0.25, "error": None})
        return pd.DataFrame(rows, columns=["label", "confidence", "p_b", "p_a", "error"])

mlflow.models.set_model(Old())
"""


@pytest.fixture(scope="module")
def old_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was registered with another `reelflow` than today's."""
    import mlflow.pyfunc

    from reelflow.registry.packaging import signature

    folder = tmp_path_factory.mktemp("old")
    (folder / "reelflow").mkdir()
    (folder / "reelflow/__init__.py").write_text(OLD_PACKAGE)
    (folder / "old_model.py").write_text(OLD_MODEL)
    mlflow.pyfunc.save_model(
        folder / "model",
        python_model=folder / "old_model.py",
        code_paths=[str(folder / "reelflow")],
        signature=signature(["b", "a"]),
        pip_requirements=["pandas"],
    )
    return folder / "model"


@pytest.fixture(scope="module")
def asked(old_model: Path) -> Iterator[AskedModel]:
    with asking(str(old_model)) as model:
        yield model


def test_a_model_answers_with_the_code_that_it_brought(asked: AskedModel) -> None:
    answer = asked.answer("x.mp4")
    assert answer.label == "of the model"
    assert answer.confidence == 0.75
    assert list(answer.probabilities.items()) == [("b", 0.75), ("a", 0.25)]
    assert answer.error is None
    assert asked.labels == ["b", "a"]


@pytest.mark.parametrize(
    "name",
    ["a b.mp4", "new\nline.mp4", "-dash.mp4", 'quo"te.mp4', "é.mp4", os.fsdecode(b"\xff.avi")],
)
def test_a_file_may_have_any_name(asked: AskedModel, name: str) -> None:
    answer = asked.answer(name)
    assert answer.path == name
    assert answer.label == "of the model"


def test_an_unusable_video_has_an_error_and_nothing_else(asked: AskedModel) -> None:
    answer = asked.answer(Path("bad.mp4"))
    assert answer.error == "It is bad. Leave it out."
    assert answer.label is None
    assert answer.probabilities == {}


def test_a_video_that_kills_the_process_is_told_and_the_next_is_answered(asked: AskedModel) -> None:
    assert asked.answer("crash.mp4").error == (
        "It cannot be used: its process crashed (SIGSEGV). Leave it out."
    )
    assert asked.answer("x.mp4").label == "of the model"


def test_a_fault_of_the_model_is_an_error_with_its_last_words(old_model: Path) -> None:
    with (
        asking(str(old_model)) as model,
        pytest.raises(ModelError, match=r"broke on fault\.mp4: .*the model is broken"),
    ):
        model.answer("fault.mp4")


def test_a_folder_without_a_model_is_a_sentence_with_the_right_form(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no folder that holds a model.*models:/NAME@ALIAS"):  # noqa: SIM117
        with asking(str(tmp_path)):
            pass


def test_where_no_mlflow_is_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    no_mlflow = r"holds no mlflow\.db, and MLFLOW_TRACKING_URI is not"
    with pytest.raises(TrackingError, match=no_mlflow), asking("models:/reelflow@champion"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def registered(mlflow_project: Path) -> MlflowClient:
    """An MLflow with versions 1 and 3 of the model `walks`, the first of them its favourite."""
    import mlflow

    client = mlflow.MlflowClient(address_from_environment())
    client.create_registered_model("walks")
    for _ in range(3):
        client.create_model_version("walks", "file:///nowhere")
    client.delete_model_version("walks", "2")
    client.set_registered_model_alias("walks", "favourite", "1")
    return client


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("models:/runs@champion", "No model named runs is registered at sqlite:"),
        ("models:/walks@champion", r"walks has no champion yet; its versions are 1, 3\. .*walks/3"),
        ("models:/walks@other", "walks has no other yet; .* Name one as models:/walks/3"),
        ("models:/walks/2", "walks has no version 2; its versions are 1, 3"),
    ],
)
def test_a_model_that_is_not_there_is_told(registered: MlflowClient, model: str, said: str) -> None:
    with pytest.raises(ModelError, match=said), asking(model):
        pass
