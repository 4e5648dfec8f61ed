"""The networks: what goes in and comes out, what each sees, and that a saved one stands alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelflow.base.determinism import deterministic
from reelflow.networks import NETWORKS, build, reads, settings_of

# Keras 3.15 asks NumPy for an array in a way that NumPy is about to drop; nothing here does.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SHAPE = (4, 32, 24, 3)
OF_FRAMES = [name for name in NETWORKS if reads(name) == "frames"]
MEAN, STD = (90.0, 100.0, 110.0), (40.0, 50.0, 60.0)


@pytest.fixture(scope="module")
def networks() -> dict[str, Any]:
    deterministic()
    import keras

    keras.utils.set_random_seed(0)
    return {name: build(name, SHAPE, 3, MEAN, STD) for name in OF_FRAMES}


def clips(count: int = 2) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (count, *SHAPE), dtype=np.uint8)


@pytest.mark.parametrize("name", OF_FRAMES)
def test_a_network_takes_uint8_clips_and_gives_float32_probabilities(
    networks: dict[str, Any], name: str
) -> None:
    network = networks[name]
    assert network.inputs[0].dtype == "uint8"
    scores = network.predict_on_batch(clips())
    assert scores.dtype == np.float32
    assert scores.shape == (2, 3)
    assert scores.min() >= 0
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in OF_FRAMES if name != "finetune"])
def test_the_normalisation_is_inside(networks: dict[str, Any], name: str) -> None:
    import keras

    network = networks[name]
    entrance = keras.Model(network.inputs, network.get_layer("normalisation").output)
    frames = clips(1)
    expected = (frames.astype(np.float64) - MEAN) / STD
    np.testing.assert_allclose(entrance.predict_on_batch(frames), expected, atol=1e-5)


@pytest.mark.parametrize("name", OF_FRAMES)
def test_two_networks_do_not_care_for_the_order_of_the_frames(
    networks: dict[str, Any], name: str
) -> None:
    there, back = clips(1), clips(1)[:, ::-1]
    scores = [networks[name].predict_on_batch(frames) for frames in (there, back)]
    assert np.allclose(*scores, rtol=0, atol=1e-6) is (name in ("cnn", "finetune"))


def test_the_cnn_has_the_layers_of_its_text_and_as_many_weights_as_they_come_to_by_hand() -> None:
    network = build("cnn", (16, 64, 64, 3), 6, MEAN, STD)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert [kind for kind in kinds if kind in ("Conv2D", "MaxPooling2D", "Flatten", "Dense")] == [
        *["Conv2D", "MaxPooling2D"] * 3,
        *["Flatten", "Dense", "Dense"],
    ]
    convolutions = (3 * 9 + 1) * 32 + (32 * 9 + 1) * 64 + (64 * 9 + 1) * 128
    assert network.count_params() == convolutions + (8 * 8 * 128 + 1) * 128 + (128 + 1) * 6


def test_the_scores_of_the_cnn_are_the_mean_over_the_scores_of_its_frames(
    networks: dict[str, Any],
) -> None:
    frames = clips(1)
    # A clip of one frame, four times over, is that frame alone.
    alone = [np.repeat(frames[:, t : t + 1], SHAPE[0], axis=1) for t in range(SHAPE[0])]
    scores = [networks["cnn"].predict_on_batch(clip)[0] for clip in alone]
    whole = networks["cnn"].predict_on_batch(frames)[0]
    np.testing.assert_allclose(whole, np.mean(scores, axis=0), atol=1e-6)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_the_recurrent_layer_is_chosen_by_name(kind: str) -> None:
    network = build("cnn_rnn", SHAPE, 3, MEAN, STD, settings_of("cnn_rnn")(recurrent=kind))
    assert kind.upper() in [type(layer).__name__ for layer in network.layers]


@pytest.mark.parametrize(
    ("name", "side"), [("cnn", 7), ("cnn_rnn", 15), ("two_stream", 15), ("flow", 15)]
)
def test_frames_too_small_for_a_network_are_refused_with_the_least_size(
    name: str, side: int
) -> None:
    with pytest.raises(ValueError, match=rf"at least {side + 1}x{side + 1} pixels, not {side}x32"):
        build(name, (4, side, 32, 3), 3, MEAN, STD)


@pytest.mark.parametrize("shape", [(1, 16, 16, 3), (3, 17, 40, 3), (16, 30, 16, 3)])
@pytest.mark.parametrize("name", OF_FRAMES)
def test_any_length_and_odd_sizes_are_taken(name: str, shape: tuple[int, int, int, int]) -> None:
    network = build(name, shape, 2, MEAN, STD)
    assert network.output_shape == (None, 2)


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown network 'resnet'; the networks are auto, cnn, "):
        build("resnet", SHAPE, 3, MEAN, STD)


def test_settings_reach_the_network() -> None:
    narrow = build("r2plus1d", SHAPE, 3, MEAN, STD, settings_of("r2plus1d")(width=8))
    wide = build("r2plus1d", SHAPE, 3, MEAN, STD)
    assert 2 * narrow.count_params() < wide.count_params()


def test_the_batch_averages_keep_up_with_a_small_set(networks: dict[str, Any]) -> None:
    """After 60 steps an average of momentum 0.9 has forgotten its start (0.2 %); 0.99: 55 %."""
    for network in networks.values():
        for layer in network.layers:
            if type(layer).__name__ == "BatchNormalization" and layer.trainable:
                assert layer.momentum**60 < 0.01


@pytest.mark.slow
def test_a_saved_network_loads_in_a_process_that_has_keras_alone(
    networks: dict[str, Any], tmp_path: Path
) -> None:
    expected = {}
    for name, network in networks.items():
        network.save(tmp_path / f"{name}.keras")
        expected[name] = network.predict_on_batch(clips())
    np.save(tmp_path / "clips.npy", clips())
    code = (
        "import sys, keras, numpy as np\n"
        "for name in sys.argv[1:]:\n"
        "    model = keras.models.load_model(f'{name}.keras')\n"
        "    np.save(f'{name}.npy', model.predict_on_batch(np.load('clips.npy')))\n"
        "assert 'reelflow' not in sys.modules\n"
    )
    command = [sys.executable, "-I", "-c", code, *networks]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=600)
    for name, scores in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), scores, atol=1e-6)
