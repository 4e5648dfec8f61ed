"""Options of the loop, by what they are said to do; and that labels without sense teach nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.base.determinism import deterministic
from reelflow.store.frame_store import FrameStore
from reelflow.training.augmentation import Augmentation
from reelflow.training.fit import State, fit, steps
from reelflow.training.mixing import Mixing
from reelflow.training.model_file import weights_hash
from reelflow.training.optimizer import optimizer_of
from tests.reelflow.training.noise import write_noise
from tests.reelflow.training.test_fit import ONES, RECIPE, network

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Videos = tuple[FrameStore, pd.DataFrame]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Videos:
    """Twenty-four to learn from, as many to watch, forty-eight that are left."""
    root = tmp_path_factory.mktemp("options") / "frames"
    table = write_noise(root, [0, 1] * 48)
    deterministic()
    return FrameStore(root), table


def trained(videos: Videos, **options: Any) -> State:
    store, table = videos
    recipe = replace(RECIPE, **options)
    return fit(network, store, table[:24], table[24:48], ONES, recipe, lambda history: None)


def accuracy(videos: Videos, state: State) -> float:
    """On those that are left, by what their pictures show."""
    store, table = videos
    frames = np.stack([store.frames(name) for name in table["hash"][48:]])
    found = state.model.predict_on_batch(frames).argmax(axis=1)
    return float((found == np.arange(48) % 2).mean())


def test_a_run_whose_labels_were_shuffled_scores_at_chance(videos: Videos) -> None:
    store, table = videos
    # In each class as many labels are false as true, in every part: they say nothing.
    shuffled = table.assign(target=np.tile([0, 0, 1, 1], 24))
    assert pd.crosstab(shuffled["target"], table["target"]).to_numpy().tolist() == [[24, 24]] * 2
    assert accuracy(videos, trained(videos)) > 0.95
    taught = trained((store, shuffled), epochs=20, patience=20)
    assert taught.history["loss"].iloc[-1] < 0.6, "it did learn the labels that it was given"
    # Three standard errors of 48 coins.
    assert accuracy(videos, taught) == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(48))


ALL: dict[str, Any] = {
    "epochs": 2,
    "augmentation": Augmentation(time_shift=0.3, rate=0.3, colour=0.2, erase=0.3),
    "mixing": Mixing(mixup=0.2, cutmix=1.0, label_smoothing=0.1),
    "schedule": "step",
    "clip_norm": 1.0,
    "average": 0.8,
    "balance": "sampling",
    "stop_window": 2,
}


def test_with_every_option_two_runs_end_in_the_same_bits(videos: Videos) -> None:
    one, two = trained(videos, **ALL), trained(videos, **ALL)
    assert weights_hash(one.model) == weights_hash(two.model)
    pd.testing.assert_frame_equal(one.history, two.history, check_exact=True)


def test_weights_of_classes_count_nothing_where_they_are_not_asked_for(videos: Videos) -> None:
    store, table = videos
    recipe = replace(RECIPE, epochs=1, learning_rate=1e-4, balance="none")
    skewed = np.array([20.0, 0.05], np.float32)
    found = [
        fit(network, store, table[:24], table[24:48], weights, recipe, lambda history: None)
        for weights in (ONES, skewed)
    ]
    assert weights_hash(found[0].model) == weights_hash(found[1].model)
    # The loss of validation still says what a clip of each class counts.
    assert found[0].best["val_loss"] != found[1].best["val_loss"]


def steps_of(videos: Videos, **options: Any) -> tuple[State, Any]:
    """A fresh state, and a function that takes a step and returns all weights."""
    state = State(network(), optimizer_of(replace(RECIPE, **options), 10))
    step, _ = steps(state)
    store, table = videos
    frames = np.stack([store.frames(name) for name in table["hash"][:8]])
    batch = (frames, table["target"][:8].to_numpy(np.int32), np.ones(8, np.float32))

    def weights() -> Any:
        step(*batch)
        return np.concatenate([part.ravel() for part in state.model.get_weights()])

    return state, weights


def test_averaged_weights_are_those_of_the_formula_and_leave_the_own_ones(videos: Videos) -> None:
    state, weights = steps_of(videos, average=0.7)
    average = own = weights()
    for _ in range(3):
        own = weights()
        average = 0.7 * average + 0.3 * own
    with state.averaged():
        seen = np.concatenate([part.ravel() for part in state.model.get_weights()])
    np.testing.assert_allclose(seen, average, rtol=1e-4, atol=1e-6)
    after = np.concatenate([part.ravel() for part in state.model.get_weights()])
    np.testing.assert_array_equal(after, own)


def test_a_gradient_is_no_longer_than_asked(videos: Videos) -> None:
    off: dict[str, Any] = {"optimizer": "sgd", "momentum": 0.0, "schedule": "constant"}
    off |= {"warmup": 0.0, "learning_rate": 1.0}
    state, weights = steps_of(videos, clip_norm=0.01, **off)
    before = np.concatenate([part.ravel() for part in state.model.get_weights()])
    assert np.linalg.norm(weights() - before) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(("window", "best"), [(1, 2), (3, 7)])
def test_the_mean_of_several_epochs_is_not_fooled_by_a_lucky_one(window: int, best: int) -> None:
    class Model:
        def get_weights(self) -> list[Any]:
            return []

    state = State(Model(), None)  # type: ignore[arg-type]
    losses = [1.0, 0.30, 0.8, 0.6, 0.42, 0.38, 0.40, 0.45, 0.50]
    for loss in losses:
        state.end_epoch({"val_loss": loss}, window)
    # By hand: the lowest mean of three in a row is that of 0.42, 0.38 and 0.40.
    assert state.best_epoch == best
