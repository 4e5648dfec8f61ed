"""Predicting: the one way from frames to probabilities, used wherever a model is asked.

The stage `evaluate` and the registered model, whoever asks it, come through `predict`, so that
they give the same floats: one clip a batch, because the sums inside a convolution may be ordered
otherwise in another batch, and the same arithmetic, set by `deterministic` before TensorFlow is
first imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.training.temperature import tempered

if TYPE_CHECKING:
    import keras


def predict_clip(model: keras.Model, frames: NDArray[Any]) -> NDArray[np.float32]:
    """The probabilities of one clip.

    Args:
        model: as `model_file.load_model` gives it.
        frames: uint8 RGB, (T, H, W, 3), of the shape the model was trained on; or an embedding,
            float32 (D,), if the model reads embeddings.

    Returns:
        float32 (K,), in the order of the model's labels, summing to 1.

    Raises:
        DataError: the frames have another shape or type than the model takes.
    """
    expected, kind = tuple(model.input_shape[1:]), model.inputs[0].dtype
    if frames.shape != expected or frames.dtype != kind:
        raise DataError(
            f"The model takes {kind} {expected}, not {frames.dtype} {frames.shape}. "
            "Extract the frames with the model's own clip settings."
        )
    scores: NDArray[np.float32] = model.predict_on_batch(frames[np.newaxis])[0]
    return scores


def predict(model: keras.Model, views: NDArray[Any], temperature: float) -> NDArray[np.float32]:
    """The prediction for a clip: `predict_views`, at the temperature of the model's card."""
    return tempered(predict_views(model, views), temperature)


def predict_views(model: keras.Model, views: NDArray[Any]) -> NDArray[np.float32]:
    """The mean probabilities of several views of one clip, float32 (K,).

    Args:
        model: as `model_file.load_model` gives it.
        views: uint8 RGB, (V, T, H, W, 3), or embeddings, float32 (V, D); V of at least 1.

    Raises:
        DataError: as `predict_clip`.
    """
    scores = [predict_clip(model, view) for view in views]
    return scores[0] if len(scores) == 1 else np.mean(scores, axis=0, dtype=np.float32)
