"""The networks, one file each, chosen by name.

A network's module has `PURPOSE`, a line for people, `Settings`, its own section of the settings of
`train`, and
`build(shape, classes, mean, std, settings) -> keras.Model`: uint8 clips (B, T, H, W, 3) in,
probabilities float32 (B, K) out, the normalisation inside, nothing of data or training. One with
`READS = "embeddings"` takes float32 features (B, D) instead. A new network is one such file and
its name in `NETWORKS`. Only layers and operations of Keras are used, so that a saved model loads
wherever Keras is, without this package. Keras is imported by the functions that need it: the
settings are checked in every stage, in which Keras would cost seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from reelflow.base.section import Section

if TYPE_CHECKING:
    import keras

NETWORKS = (
    "auto",
    "cnn",
    "cnn_rnn",
    "finetune",
    "flow",
    "r2plus1d",
    "transfer",
    "two_stream",
    "x3d",
)

Shape = tuple[int, ...]


def build(
    name: str,
    shape: Shape,
    classes: int,
    mean: Sequence[float],
    std: Sequence[float],
    settings: Section | None = None,
) -> keras.Model:
    """Build a network with fresh weights (seed them with `keras.utils.set_random_seed` before).

    Args:
        name: one of `NETWORKS`.
        shape: (T, H, W, 3) of a clip, or (D,) of an embedding.
        classes: K, at least 2.
        mean, std: of the red, green and blue values of the training clips, on the 0..255 scale.
        settings: the network's own settings, of the type `settings_of(name)`; by default its
            defaults.

    Raises:
        ValueError: an unknown name, or a clip too small for the network.
    """
    import keras

    network = module_of(name)
    # Keras numbers the layers of a process; from one on, equal networks are equal files.
    keras.utils.clear_session(free_memory=False)
    model: keras.Model = network.build(shape, classes, mean, std, settings or network.Settings())
    return model


def reads(name: str) -> str:
    """What a network reads of a video: `frames`, `embeddings`, or `either`, as training finds out.

    Raises `ValueError` as `build`.
    """
    found: str = getattr(module_of(name), "READS", "frames")
    return found


def settings_of(name: str) -> type[Section]:
    """The type of a network's own settings. Raises `ValueError` for an unknown name."""
    found: type[Section] = module_of(name).Settings
    return found


def module_of(name: str) -> Any:
    """The module of a network, see above. Raises `ValueError` for an unknown name."""
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; the networks are {', '.join(NETWORKS)}")
    return import_module(f"{__name__}.{name}")
