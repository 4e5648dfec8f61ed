"""A network with some of its weights drawn anew, as if it had not learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def drawn_anew(model: keras.Model, layers: Sequence[str], seed: int) -> keras.Model:
    """A copy with the weights of these layers in a random order, each tensor by itself.

    The values stay, and with them the scale of what follows; what they meant goes. Drawn from the
    initial distribution, a deep network would answer the same to everything, and its map would be
    noise for that reason alone.

    Args:
        model: it is not changed.
        layers: names of layers.
        seed: of the order.
    """
    import keras

    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    random = np.random.default_rng(seed)
    for name in layers:
        layer = copy.get_layer(name)
        layer.set_weights(
            [
                random.permuted(weight.ravel()).reshape(weight.shape)
                for weight in layer.get_weights()
            ]
        )
    return copy
