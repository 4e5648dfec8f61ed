"""TensorFlow set up so that the same work gives the same bits."""

from __future__ import annotations

import logging

from reelflow.base.quiet_tensorflow import without_start_messages

log = logging.getLogger(__name__)


def deterministic() -> None:
    """Make TensorFlow in this process give the same bits each time. Call before using it.

    - oneDNN kernels on: 3-D convolutions take a quarter of the time. TensorFlow turns them on by
      itself on some processors only, and the bits must not hang on that.
    - One operation at a time, on all cores. TensorFlow sums three or more gradients in an order
      that depends on which of them happens to be ready, which `enable_op_determinism` does not
      cover: with two operations at once, 6 of 300 gradients of `r2plus1d` differed; this way none
      of 150 did, in the same time.

    oneDNN is set in the environment by the first import of this package, since TensorFlow reads it
    when it is imported, by whomever; a value that the user has set stays. Where TensorFlow was at
    work before, its threads cannot be changed any more; a warning reports that.
    """
    with without_start_messages():
        import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    try:
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        log.warning(
            "TensorFlow was in use before Reelflow could set its threads: a training in this "
            "process may not repeat to the bit. Predictions are not affected."
        )
