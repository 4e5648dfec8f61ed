"""`finetune`: what of its network is trained, and the heads that read frames in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.base.determinism import deterministic
from reelflow.explain.on_frames import OnFrames
from reelflow.networks import build, settings_of
from reelflow.params.train import TrainParams
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.training.fit import State, fit
from reelflow.training.optimizer import recipe
from reelflow.video.process_limits import Bounds
from tests.dataset import write_clips
from tests.explained import look_at

# Keras 3.15 asks NumPy for an array in a way that NumPy is about to drop; nothing here does.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CLIP = ClipSpec(frames=2, height=16, width=16)
MEAN, STD = (90.0, 100.0, 110.0), (40.0, 50.0, 60.0)
IN_ORDER = ("gru", "attention")


def network(over_time: str, blocks: int = 0, units: int = 8) -> Any:
    how = {"over_time": over_time, "trained_blocks": blocks, "units": units, "dropout": 0.0}
    return build("finetune", CLIP.shape, 2, MEAN, STD, settings_of("finetune")(**how))


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[FrameStore, pd.DataFrame]:
    """Two frames, a smooth and a rough one: the class says which comes first."""
    root = tmp_path_factory.mktemp("frames")
    random = np.random.default_rng(0)
    labels, clips = [0, 1] * 8, {}
    for number, label in enumerate(labels):
        rough = random.integers(0, 256, (1, *CLIP.shape[1:]))
        frames = np.concatenate([np.full_like(rough, rough.mean()), rough])
        frames = frames[::-1] if label else frames
        clips[f"{number:064}"] = Clip(frames.astype(np.uint8), np.arange(2.0))
    write_clips(root, clips, CLIP)
    return FrameStore(root), pd.DataFrame({"hash": list(clips), "target": labels})


@pytest.fixture(scope="module")
def fitted(videos: tuple[FrameStore, pd.DataFrame]) -> dict[str, State]:
    deterministic()
    store, table = videos
    how = replace(recipe(TrainParams(min_steps=1)), epochs=10, batch_size=4, learning_rate=0.01)

    def of(over_time: str) -> State:
        parts = (table[:12], table[12:], np.ones(2, np.float32), how, lambda history: None)
        return fit(lambda: network(over_time), store, *parts)

    return {over_time: of(over_time) for over_time in IN_ORDER}


@pytest.mark.parametrize("over_time", IN_ORDER)
def test_a_head_over_time_learns_what_only_the_order_of_frames_tells(
    videos: tuple[FrameStore, pd.DataFrame], fitted: dict[str, State], over_time: str
) -> None:
    store, table = videos
    assert fitted[over_time].best["val_accuracy"] == 1.0
    frames = store.frames(table["hash"].iloc[0])[np.newaxis]
    there, back = (
        fitted[over_time].model.predict_on_batch(x)[0] for x in (frames, frames[:, ::-1])
    )
    assert there.argmax() != back.argmax()
    # Both are the same to one that takes the mean.
    blind = network("mean_and_change")
    scores = [blind.predict_on_batch(x) for x in (frames, frames[:, ::-1])]
    np.testing.assert_allclose(*scores, atol=1e-6)


@pytest.mark.parametrize("over_time", IN_ORDER)
def test_a_frozen_network_is_what_it_was_after_training(
    fitted: dict[str, State], over_time: str
) -> None:
    def inside(model: Any) -> list[Any]:
        return [weight for weight in model.weights if weight.path.startswith("conv")]

    fresh = network(over_time)
    assert len(inside(fresh)) == 27 + 27 * 4  # kernels, and what batch normalisation keeps
    for before, after in zip(inside(fresh), inside(fitted[over_time].model), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("over_time", IN_ORDER)
def test_a_head_over_time_has_a_map_by_gradients(
    videos: tuple[FrameStore, pd.DataFrame], fitted: dict[str, State], over_time: str
) -> None:
    store, table = videos
    subject = OnFrames(fitted[over_time].model, ["a", "b"], CLIP, Bounds())
    look = look_at(store.frames(table["hash"].iloc[0]))
    found = subject.own_map(look, 0)
    assert found.shape == CLIP.shape[:3]
    assert found.std() > 0
    assert subject.features(look).shape == (8,)


def test_the_last_blocks_are_trained_and_it_begins_with_what_its_network_knows() -> None:
    import keras

    from reelflow.backbones import MOBILENET, backbone

    settings = settings_of("finetune")(trained_blocks=2)
    network = build("finetune", (2, 224, 224, 3), 3, MEAN, STD, settings)
    trained = {layer.name for layer in network.layers if layer.trainable_weights}
    assert {name for name in trained if name.startswith("conv")} == {
        "conv_dw_12", "conv_pw_12", "conv_dw_13", "conv_pw_13",
    }  # fmt: skip
    known = backbone(MOBILENET)
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, 224, 224, 3), dtype=np.uint8)
    inside = keras.Model(network.inputs, network.get_layer("conv_pw_13_relu").output)
    expected = known.predict_on_batch(frames[0].astype(np.float32))["conv_pw_13_relu"]
    np.testing.assert_allclose(inside.predict_on_batch(frames), expected, atol=1e-4)


@pytest.mark.slow
def test_heads_are_read_where_only_keras_is(fitted: dict[str, State], tmp_path: Path) -> None:
    """See the test of all networks for a process that has Keras alone."""
    import keras

    clip = np.zeros((1, *CLIP.shape), np.uint8)
    for state in fitted.values():
        state.model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
        np.testing.assert_array_equal(
            again.predict_on_batch(clip), state.model.predict_on_batch(clip)
        )
