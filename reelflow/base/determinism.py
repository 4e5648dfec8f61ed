"""TensorFlow set up so that the same work gives the same bits."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

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
    a warning reports that.
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


@contextmanager
def _without_start_messages() -> Iterator[None]:
    """Leave out what TensorFlow's C++ part prints on stderr while it is imported.

    It prints each time, before any setting of its log level counts, that there is no GPU and that
    oneDNN is on. Whatever else is printed goes to stderr when the import is over.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            printed.seek(0)
            kept = [line for line in printed if not any(part in line for part in _START_MESSAGES)]
            os.write(2, b"".join(kept))
