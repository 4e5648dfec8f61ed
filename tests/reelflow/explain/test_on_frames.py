"""Grad-CAM of networks small enough to be computed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reelflow.explain.explainable_model import log_odds
from reelflow.explain.on_frames import OnFrames
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo
from tests.explained import look_at

SPEC = ClipSpec(4, 8, 8)
FRAMES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def reddish() -> OnFrames:
    """Answers by the mean of red over place and time: a linear model of the pixels."""
    import keras
    from keras import layers

    inputs = keras.Input((4, 8, 8, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv3D(2, 1, use_bias=False, name="map")(x)
    x = layers.GlobalAveragePooling3D()(x)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    pick = np.zeros((1, 1, 1, 3, 2), np.float32)
    pick[..., 0, 0] = pick[..., 1, 1] = 1
    head = np.float32([[4, 0, 0], [0, 0, 0]])
    model.set_weights([pick, head, np.zeros(3, np.float32)])
    return OnFrames(model, ["red", "b", "c"], SPEC, Bounds())


def test_the_map_is_the_slope_times_what_is_there_place_by_place(reddish: OnFrames) -> None:
    found = reddish.own_map(look_at(FRAMES), 0)
    # The slope of log(p / (1 - p)) along a logit is 1; a place is one of 4 x 8 x 8.
    np.testing.assert_allclose(found, FRAMES[..., 0] / 255 * 4 / 256, rtol=1e-4, atol=1e-7)


def test_answers_do_not_hang_on_how_many_are_asked_for(reddish: OnFrames) -> None:
    look = look_at(FRAMES)
    changes = [(at % 4, np.full((1, 8, 8, 3), at, np.uint8)) for at in range(19)]
    together = reddish.probabilities(look, changes)
    assert together.shape == (19, 3)
    alone = reddish.probabilities(look, changes[17:18])
    np.testing.assert_allclose(together[17], alone[0], rtol=1e-5)


def test_randomising_begins_at_the_answer_and_leaves_the_model_alone(reddish: OnFrames) -> None:
    look = look_at(FRAMES)
    before = reddish.probabilities(look, [(0, FRAMES[:1])])
    stages = list(reddish.randomised(seed=3))
    assert [said for said, _ in stages] == ["the last layer", "all layers"]
    maps = [other.own_map(look, 0) for _, other in stages]
    assert not np.allclose(maps[-1], reddish.own_map(look, 0))
    np.testing.assert_array_equal(reddish.probabilities(look, [(0, FRAMES[:1])]), before)


@pytest.mark.parametrize("name", ["cnn", "cnn_rnn", "flow", "r2plus1d", "two_stream", "x3d"])
def test_every_network_on_frames_has_a_map_and_features(name: str) -> None:
    from reelflow.networks import build

    shape = (8, 32, 32, 3)
    model = build(name, shape, 3, [128] * 3, [50] * 3)
    subject = OnFrames(model, ["a", "b", "c"], ClipSpec(*shape[:3]), Bounds())
    frames = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    look = look_at(frames)
    found = subject.own_map(look, 1)
    assert found.shape == shape[:3] and found.std() > 0
    assert np.isfinite(subject.features(look)).all()
    answer = model.predict_on_batch(frames[np.newaxis])
    asked = subject.probabilities(look, [(0, frames[:1])])
    np.testing.assert_allclose(log_odds(asked, 1), log_odds(answer, 1), atol=1e-3)


def test_a_video_is_seen_as_the_model_sees_it(
    reddish: OnFrames, make_video: MakeVideo, tmp_path: Path
) -> None:
    look = reddish.look(make_video(tmp_path / "a.mp4"))
    assert look.frames.shape == SPEC.shape
    assert (np.diff(look.times) > 0).all() and look.info.frames == 10
