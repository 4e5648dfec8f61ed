"""The registered model: videos in, labels and probabilities out.

MLflow runs this file when it loads a model ("models from code"): what lies in the registry is
code, a `.keras` file and a card, never a pickle. The package `reelflow` as it was when the model
was registered travels along, so that a clip is made today as it was for training. Every clip goes
alone through `reelflow.training.predict_clip.predict`, as in the stage `evaluate`.

A video that cannot be used costs the others nothing: its row has an `error`, no label, and no
probabilities; it is never answered as if it were black.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext
from numpy.typing import NDArray

from reelflow.base.errors import VideoError
from reelflow.embeddings.embed import Embedder
from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.crops_and_segments import views
from reelflow.training.familiarity import Familiarity, features_of, unlike
from reelflow.training.model_file import load_model
from reelflow.training.predict_clip import predict
from reelflow.video.process_limits import Bounds


class VideoModel(PythonModel):  # type: ignore[misc]  # mlflow's classes have no types
    """Input: a table with a column `path` (files that this process can read) or `video` (bytes).

    Output: a row a video, in order: `label`, `confidence`, `p_<label>` for each label, `caution`
    (a sentence, where the clip is unlike those of training), `error`.
    The probabilities are float32 values given as the shortest decimal that names them, so that
    they print, and compare, as those of the stage `evaluate`.
    """

    # Of the embedding that the model reads, if it reads one.
    blocks: Sequence[str] = ()
    temperature: float = 1.0
    # How far a clip lies from those of training; None where it was not measured.
    familiarity: Familiarity | None = None

    def load_context(self, context: PythonModelContext) -> None:
        """Load the artifacts `model` (.keras) and `card` (JSON with `labels`, `temperature` and
        `clip`, or `embedding` and `blocks` if the model reads embeddings), and, if there is
        one, `familiar` (a `Familiarity`).

        The model's configuration may hold `timeout_s` and `memory_mb`, the bounds of a decoder.
        """
        card = json.loads(Path(context.artifacts["card"]).read_text(encoding="utf-8"))
        self.labels: list[str] = card["labels"]
        self.spec = ClipSpec(**card["clip"])
        self.bounds = Bounds(**(context.model_config or {}))
        self.model = load_model(Path(context.artifacts["model"]))
        self.blocks = card.get("blocks", ())
        self.temperature = card.get("temperature", 1.0)
        if "familiar" in context.artifacts:
            self.familiarity = Familiarity.load(Path(context.artifacts["familiar"]))
            self.features = features_of(self.model)
        if self.blocks:
            spec = EmbeddingSpec.from_dict(card["embedding"])
            self.embedder = Embedder(spec, self.blocks, self.bounds)

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Answer each row. Raises `MlflowException` (HTTP 400) if the table has neither column."""
        if not {"path", "video"} & set(model_input.columns):
            raise MlflowException.invalid_parameter_value(
                "Give a table with a column `path` (names of video files) or `video` (their bytes)."
            )
        columns = ["label", "confidence", *(f"p_{label}" for label in self.labels)]
        columns += ["caution", "error"]
        rows = [self._answer(row) for row in model_input.to_dict("records")]

        def column(name: str) -> pd.Series[Any]:
            """What is missing is None, not NaN: MLflow's server would write NaN, which no JSON
            parser but Python's reads."""
            values = [row.get(name) for row in rows]
            return pd.Series(values, dtype=object if None in values else None)

        return pd.DataFrame({name: column(name) for name in columns})

    def _answer(self, row: dict[Any, Any]) -> dict[str, Any]:
        try:
            shown = self._shown(row.get("video"), row.get("path"))
        except VideoError as error:
            return {"error": f"{error.reason} {error.remedy}".strip()}
        scores = predict(self.model, shown, self.temperature)
        values = [float(str(score)) for score in scores]
        best = int(scores.argmax())
        return {
            "label": self.labels[best],
            "confidence": values[best],
            **{f"p_{label}": value for label, value in zip(self.labels, values, strict=True)},
            "caution": self._caution(shown),
        }

    def _caution(self, shown: NDArray[Any]) -> str | None:
        if self.familiarity is None:
            return None
        distance = float(self.familiarity.distance(self.features(shown)[np.newaxis])[0])
        return unlike(distance) if distance > 1 else None

    def _shown(self, video: Any, path: Any) -> NDArray[Any]:
        """What the model is shown: the views of a clip, or its embedding."""
        if isinstance(video, bytes):
            with tempfile.NamedTemporaryFile(prefix="reelflow-") as file:
                file.write(video)
                file.flush()
                return self._read(Path(file.name))
        if not isinstance(path, str) or not path:
            raise VideoError("", "no_input", "Neither a path nor bytes were given.", "Give one.")
        if "\0" in path or path != path.encode("utf-8", "replace").decode():
            raise VideoError(path, "name", "Its name is not valid UTF-8.", "Rename the file.")
        return self._read(Path(path))

    def _read(self, path: Path) -> NDArray[Any]:
        if not self.blocks:
            return views(read_clip(path, self.spec, self.bounds).frames, self.spec)
        features = self.embedder.embed(path)
        return np.concatenate([features[block][0] for block in self.blocks])[np.newaxis]


mlflow.models.set_model(VideoModel())
