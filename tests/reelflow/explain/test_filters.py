"""First filters as pictures: the weights of the layer, scaled by hand."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from reelflow.explain.filters import first_filters
from reelflow.reports import explanations


def network(rank: int) -> keras.Model:
    """It rescales, convolves by a kernel that lasts two frames, and convolves again."""
    inputs = keras.Input((4, 8, 8, 3) if rank == 3 else (8, 8, 3))
    convolve = keras.layers.Conv3D if rank == 3 else keras.layers.Conv2D
    kernel = (2, 3, 3) if rank == 3 else (3, 3)
    x = convolve(3, kernel, use_bias=False)(keras.layers.Rescaling(1 / 255)(inputs))
    return keras.Model(inputs, convolve(2, 1)(x))


@pytest.mark.parametrize("nested", [False, True])
def test_weights_are_grey_at_nought_and_as_far_from_it_as_they_are_large(nested: bool) -> None:
    model = network(2)
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    kernel[0, 0, 0, 1], kernel[1, 1, 2, 1] = 0.5, -0.25
    kernel[2, 2, 1, 2] = -9
    model.layers[2].set_weights([kernel])
    if nested:
        inputs = keras.Input((8, 8, 3))
        model = keras.Model(inputs, model(inputs))
    found = first_filters(model)
    assert found is not None
    assert found.shape == (3, 3, 3, 3)
    assert (found[0] == 128).all()
    assert found[1, 0, 0, 0] == 255
    assert found[1, 1, 1, 2] == 64
    assert found[2, 2, 2, 1] == 0


def test_of_a_filter_in_time_the_frame_of_most_weight_is_shown() -> None:
    model = network(3)
    kernel = np.full((2, 3, 3, 3, 3), 0.1, np.float32)
    kernel[1, :, :, 0, 0] = -1
    kernel[0, :, :, 0, 1] = 1
    model.layers[2].set_weights([kernel])
    found = first_filters(model)
    assert found is not None
    assert (found[0, ..., 0] == 0).all()
    assert (found[1, ..., 0] == 255).all()


def test_a_head_has_none_and_the_page_says_so() -> None:
    inputs = keras.Input((12,))
    assert first_filters(keras.Model(inputs, keras.layers.Dense(2)(inputs))) is None
    page = explanations.render([], "m", [], [], learned=False)
    assert "No network sees the pictures themselves" in page


def test_the_page_shows_each_filter_and_whether_these_videos_taught_it() -> None:
    filters = np.random.default_rng(0).integers(256, size=(7, 5, 5, 3)).astype(np.uint8)
    page = explanations.render([], "m", [], [filters, filters], learned=False)
    section = page[page.index('id="filters"') :]
    assert section.count("<img") == 14
    assert "learned from other pictures" in section
    taught = explanations.render([], "m", [], [filters], learned=True)
    assert "noise, if it has not" in taught
