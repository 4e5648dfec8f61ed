"""The log odds of a class, to be differentiated."""

from __future__ import annotations

from typing import Any

_LEAST = 1e-30


def tensor_log_odds(probabilities: Any, target: int) -> Any:
    """log p / (1 - p) of a class, for a TensorFlow tensor (K,)."""
    import tensorflow as tf

    own = probabilities[target]
    others = tf.reduce_sum(probabilities[:target]) + tf.reduce_sum(probabilities[target + 1 :])
    return tf.math.log(tf.maximum(own, _LEAST)) - tf.math.log(tf.maximum(others, _LEAST))
