"""The log odds of a class, to be differentiated."""

from __future__ import annotations

from typing import Any

_LEAST = 1e-30


def tensor_log_odds(probabilities: Any, target: int, temperature: float) -> Any:
    """log p / (1 - p) of a class at a temperature, for a TensorFlow tensor (K,) at none."""
    import tensorflow as tf

    logits = tf.math.log(tf.maximum(probabilities, _LEAST)) / temperature
    others = tf.concat([logits[:target], logits[target + 1 :]], axis=0)
    return logits[target] - tf.reduce_logsumexp(others)
