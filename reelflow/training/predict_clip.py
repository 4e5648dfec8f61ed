"""Predicting: the one way from frames to probabilities, used wherever a model is asked.

`evaluate`, the registered model and `reelflow predict` all come through `predict_views`, so that
they give the same floats: one clip a batch, because the sums inside a convolution may be ordered
otherwise in another batch, and the same arithmetic, set by `deterministic` before TensorFlow is
first imported.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import DataError

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

_START_MESSAGES = (b"absl::InitializeLog", b"port.cc", b"cudart_stub.cc", b"cpu_feature_guard.cc")


def deterministic() -> None:
    """Make TensorFlow in this process give the same bits each time. Call before using it.

    - oneDNN kernels on: 3-D convolutions take a quarter of the time. TensorFlow turns them on by
      itself on some processors only, and the bits must not hang on that.
    - One operation at a time, on all cores. TensorFlow sums three or more gradients in an order
      that depends on which of them happens to be ready, which `enable_op_determinism` does not
      cover: with two operations at once, 6 of 300 gradients of `r2plus1d` differed; this way none
      of 150 did, in the same time.

    Sets environment variables that TensorFlow reads when it is imported; a value that the user
    has set stays. Where TensorFlow was at work before, its threads cannot be changed any more;
    that is said in a warning.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _without_start_messages():
        import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    try:
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        log.warning(
            "TensorFlow was in use before Reelflow could set its threads: a training in this "
            "process may not repeat to the bit. Predictions are not affected."
        )


def load_model(path: Path) -> keras.Model:
    """Load a trained model for `predict_clip`. Raises `DataError` if it cannot be read."""
    deterministic()
    from reelflow.training import model_file

    return model_file.load_model(path)


def predict_clip(model: keras.Model, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The probabilities of one clip.

    Args:
        model: as `load_model` gives it.
        frames: uint8 RGB, (T, H, W, 3), of the shape the model was trained on.

    Returns:
        float32 (K,), in the order of the model's labels, summing to 1.

    Raises:
        DataError: the frames have another shape or type than the model takes.
    """
    expected = tuple(model.input_shape[1:])
    if frames.shape != expected or frames.dtype != np.uint8:
        raise DataError(
            f"The model takes clips of uint8 {expected}, not {frames.dtype} {frames.shape}. "
            "Extract the frames with the model's own clip settings."
        )
    scores: NDArray[np.float32] = model.predict_on_batch(frames[np.newaxis])[0]
    return scores


def predict_views(model: keras.Model, views: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The mean probabilities of several views of one clip, float32 (K,).

    Args:
        model: as `load_model` gives it.
        views: uint8 RGB, (V, T, H, W, 3), V of at least 1.

    Raises:
        DataError: as `predict_clip`.
    """
    scores = [predict_clip(model, view) for view in views]
    return scores[0] if len(scores) == 1 else np.mean(scores, axis=0, dtype=np.float32)


@contextmanager
def _without_start_messages() -> Iterator[None]:
    """Leave out what TensorFlow's C++ part says on stderr while it is imported.

    It says each time, before any setting of its log level counts, that there is no GPU and that
    oneDNN is on. Whatever else is said goes to stderr when the import is over.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            said.seek(0)
            kept = [line for line in said if not any(part in line for part in _START_MESSAGES)]
            os.write(2, b"".join(kept))
