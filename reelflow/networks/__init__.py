"""The networks, one file each, chosen by name.

Every one is `build(shape, classes, mean, std, **own) -> keras.Model`: uint8 clips (B, T, H, W, 3)
in, probabilities float32 (B, K) out, the normalisation inside, nothing of data or training. A new
network is a new file with such a function and one line in `NETWORKS`. Only layers and operations
of Keras are used, so that a saved model loads wherever Keras is, without this package.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

NETWORKS = {
    "cnn": "reelflow.networks.cnn",
    "cnn_rnn": "reelflow.networks.cnn_rnn",
    "r2plus1d": "reelflow.networks.r2plus1d",
}

Shape = tuple[int, int, int, int]


def build(
    name: str,
    shape: Shape,
    classes: int,
    mean: Sequence[float],
    std: Sequence[float],
    **own: Any,
) -> keras.Model:
    """Build a network with fresh weights (seed them with `keras.utils.set_random_seed` before).

    Args:
        name: a key of `NETWORKS`.
        shape: (T, H, W, 3) of a clip.
        classes: K, at least 2.
        mean, std: of the red, green and blue values of the training clips, on the 0..255 scale.
        **own: the network's own parameters, see `own_parameters`.

    Raises:
        ValueError: an unknown name, or a clip too small for the network.
    """
    import keras

    # Keras numbers the layers of a process; from one on, equal networks are equal files.
    keras.utils.clear_session(free_memory=False)
    return _builder(name)(shape, classes, mean, std, **own)


def own_parameters(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` (say, a section of `params.yaml`) that the network `name` knows."""
    known = list(inspect.signature(_builder(name)).parameters)[4:]
    return {key: values[key] for key in known if key in values}


def _builder(name: str) -> Callable[..., keras.Model]:
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; the networks are {', '.join(NETWORKS)}")
    builder: Callable[..., keras.Model] = import_module(NETWORKS[name]).build
    return builder
