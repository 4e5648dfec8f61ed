"""Fitting: that it learns, repeats to the bit, keeps its best epoch, and says when it fails."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.base.determinism import deterministic
from reelflow.base.errors import DataError
from reelflow.store.frame_store import FrameStore
from reelflow.training.augmentation import Augmentation
from reelflow.training.fit import COLUMNS, State, fit
from reelflow.training.optimizer import Recipe
from tests.reelflow.training.noise import CLIP, write_noise

# Keras 3.15 asks NumPy for an array in a way that NumPy is about to drop; nothing here does.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RECIPE = Recipe(
    epochs=6,
    batch_size=4,
    min_steps=1,
    optimizer="adamw",
    learning_rate=0.02,
    momentum=0.9,
    weight_decay=1e-4,
    patience=10,
    seed=3,
    augmentation=Augmentation(),
)
ONES = np.ones(2, np.float32)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> tuple[FrameStore, pd.DataFrame]:
    root = tmp_path_factory.mktemp("frames")
    table = write_noise(root, [0, 1] * 12)
    deterministic()
    return FrameStore(root), table


def network() -> Any:
    import keras

    clip = keras.Input(CLIP.shape, dtype="uint8")
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 128, offset=-1.0)(clip))
    x = keras.layers.Dropout(0.1)(keras.layers.Dense(8, activation="relu")(x))
    return keras.Model(clip, keras.layers.Dense(2, activation="softmax")(x))


def fitted(
    videos: tuple[FrameStore, pd.DataFrame],
    recipe: Recipe = RECIPE,
    class_weights: Any = ONES,
    told: list[pd.DataFrame] | None = None,
) -> State:
    store, table = videos
    tell = [] if told is None else told
    return fit(network, store, table[:16], table[16:], class_weights, recipe, tell.append)


def weights_of(result: State) -> str:
    return hashlib.sha256(b"".join(w.tobytes() for w in result.model.get_weights())).hexdigest()


def test_it_learns_and_tells_each_epoch_while_it_happens(
    videos: tuple[FrameStore, pd.DataFrame],
) -> None:
    told: list[pd.DataFrame] = []
    result = fitted(videos, told=told)
    assert [len(history) for history in told] == [1, 2, 3, 4, 5, 6]
    pd.testing.assert_frame_equal(told[-1], result.history)
    assert tuple(result.history.columns) == COLUMNS
    assert result.history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    assert result.best["val_accuracy"] == 1.0
    assert result.history["loss"].iloc[-1] < result.history["loss"].iloc[0] / 2
    # Down to nothing along half a cosine.
    assert result.history["learning_rate"].is_monotonic_decreasing
    assert result.history["learning_rate"].iloc[-1] < RECIPE.learning_rate / 100


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(
    videos: tuple[FrameStore, pd.DataFrame], optimizer: str
) -> None:
    changes = Augmentation(shift=0.1, brightness=0.1)
    recipe = replace(RECIPE, epochs=2, optimizer=optimizer, augmentation=changes)
    one, two = fitted(videos, recipe), fitted(videos, recipe)
    assert weights_of(one) == weights_of(two)
    pd.testing.assert_frame_equal(one.history, two.history)
    assert weights_of(fitted(videos, replace(recipe, seed=4))) != weights_of(one)


def doubtful(videos: tuple[FrameStore, pd.DataFrame]) -> tuple[FrameStore, pd.DataFrame]:
    """The same with three false targets in validation: growing sure is punished in the end."""
    store, table = videos
    false = table["target"].where(~table.index.isin([17, 20, 22]), 1 - table["target"])
    return store, table.assign(target=false)


def test_the_model_has_the_weights_of_its_best_epoch(
    videos: tuple[FrameStore, pd.DataFrame],
) -> None:
    store, table = doubtful(videos)
    result = fitted((store, table), replace(RECIPE, epochs=8))
    best = int(result.history["val_loss"].argmin())
    assert best < len(result.history) - 1, "the last epoch must not be the best here"
    frames = np.stack([store.frames(name) for name in table["hash"][16:]])
    scores = result.model.predict_on_batch(frames)
    loss = -np.log(scores[np.arange(8), table["target"][16:]]).mean()
    assert loss == pytest.approx(result.best["val_loss"], rel=1e-3)


def test_it_stops_when_patience_runs_out(videos: tuple[FrameStore, pd.DataFrame]) -> None:
    recipe = replace(RECIPE, epochs=40, patience=2)
    result = fitted(doubtful(videos), recipe)
    assert len(result.history) < 40
    assert int(result.history["val_loss"].argmin()) == len(result.history) - 3


@pytest.mark.parametrize(("clips", "min_steps", "steps"), [(16, 1, 4), (16, 5, 8), (15, 4, 4)])
def test_an_epoch_has_the_fewest_passes_that_give_its_steps(
    videos: tuple[FrameStore, pd.DataFrame], clips: int, min_steps: int, steps: int
) -> None:
    store, table = videos
    recipe = replace(RECIPE, epochs=1, min_steps=min_steps)
    result = fit(network, store, table[:clips], table[16:], ONES, recipe, lambda history: None)
    assert int(result.optimizer.iterations) == steps


def test_a_class_weighs_what_it_is_given(tmp_path: Path) -> None:
    # Nothing tells the classes apart but what they weigh.
    table = write_noise(tmp_path / "frames", [0, 1] * 12, contrast=0)
    store = FrameStore(tmp_path / "frames")
    frames = np.stack([store.frames(name) for name in table["hash"][16:]])
    recipe = replace(RECIPE, learning_rate=0.002)
    for heavy in (0, 1):
        weights = np.where(np.arange(2) == heavy, 20, 0.05).astype(np.float32)
        model = fitted((store, table), recipe, weights).model
        assert (model.predict_on_batch(frames).argmax(axis=1) == heavy).all()


def test_a_loss_that_is_no_number_is_an_error_that_names_the_rate(
    videos: tuple[FrameStore, pd.DataFrame],
) -> None:
    recipe = replace(RECIPE, optimizer="sgd", learning_rate=1e30)
    with pytest.raises(DataError, match=r"after 1 epoch\..*train.learning_rate \(it is 1e\+30\)"):
        fitted(videos, recipe)


def test_frames_that_are_gone_are_said_by_name(tmp_path: Path) -> None:
    table = write_noise(tmp_path / "frames", [0, 1] * 8)
    store = FrameStore(tmp_path / "frames")
    next(store.root.glob("*.npy")).unlink()
    with pytest.raises(DataError, match="is not a readable shard of frames"):
        fitted((store, pd.concat([table, table[:8]])))


def test_augmentation_and_batches_need_no_tensorflow() -> None:
    code = "import sys, reelflow.training.batches; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
