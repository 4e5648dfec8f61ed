"""Multiply-adds against counts by hand."""

from __future__ import annotations

import pytest

from reelflow.networks import NETWORKS, build, reads
from reelflow.networks.cost import multiply_adds


def test_convolutions_count_at_each_place_of_their_output() -> None:
    import keras
    from keras import layers

    clip = keras.Input((4, 8, 8, 3))
    x = layers.Conv3D(5, (1, 3, 3), strides=(1, 2, 2), padding="same")(clip)
    x = layers.Dense(7)(layers.GlobalAveragePooling3D()(x))
    by_hand = (4 * 4 * 4) * (3 * 3 * 3) * 5 + 5 * 7
    assert multiply_adds(keras.Model(clip, x)) == by_hand


def test_frames_in_the_batch_and_steps_of_a_recurrent_layer_count() -> None:
    import keras
    from keras import layers, ops

    clip = keras.Input((4, 8, 8, 3))
    x = layers.DepthwiseConv2D(3, padding="same")(ops.reshape(clip, (-1, 8, 8, 3)))
    x = ops.reshape(layers.GlobalAveragePooling2D()(x), (-1, 4, 3))
    x = layers.LSTM(6)(x)
    by_hand = (4 * 8 * 8) * (3 * 3) * 3 + 4 * (3 + 6) * 4 * 6
    assert multiply_adds(keras.Model(clip, x)) == by_hand


@pytest.mark.parametrize("name", [name for name in NETWORKS if reads(name) == "frames"])
def test_of_each_network_they_grow_with_the_frames(name: str) -> None:
    short, long = (build(name, (t, 32, 32, 3), 2, [0.0] * 3, [1.0] * 3) for t in (8, 16))
    assert 1.8 < multiply_adds(long) / multiply_adds(short) < 3
