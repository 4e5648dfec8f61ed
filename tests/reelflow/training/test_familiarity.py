"""What is unlike training: SciPy's distance and scikit-learn's scores, and what is rejected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist, mahalanobis
from sklearn.linear_model import Ridge

from reelflow.training.familiarity import Familiarity, features_of
from reelflow.training.fit_familiarity import fit_beside, fit_by_folds
from reelflow.training.group_folds import group_folds

RANDOM = np.random.default_rng(0)
TARGETS = np.arange(300) % 3
CENTRES = RANDOM.normal(scale=4.0, size=(3, 12))


def videos(targets: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(len(targets), 12))
    return (CENTRES[targets] + noise * np.linspace(0.5, 2, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def found() -> Familiarity:
    groups = [f"g{number // 10}" for number in range(300)]
    return fit_by_folds(videos(TARGETS, 1), TARGETS, group_folds(TARGETS, groups))


def test_about_one_in_twenty_of_new_videos_of_the_same_kind_is_rejected(found: Familiarity) -> None:
    share = (found.distance(videos(np.arange(3000) % 3, 2)) > 1).mean()
    assert 0.02 < share < 0.09


def test_a_class_that_was_never_seen_is_rejected(found: Familiarity) -> None:
    strange = videos(np.zeros(200, int), 3) - CENTRES[0] + CENTRES.mean(axis=0) + 6.0
    assert (found.distance(strange.astype(np.float32)) > 1).mean() > 0.95


def test_the_first_distance_is_that_of_scipy_to_the_nearest_class(found: Familiarity) -> None:
    learned = videos(TARGETS, 1).astype(float)
    means = np.stack([learned[target == TARGETS].mean(axis=0) for target in range(3)])
    scale = learned.std(axis=0)
    own = (learned - means[TARGETS]) / scale
    shape = own.T @ own / len(own)
    shape = 0.9 * shape + 0.1 * np.trace(shape) / 12 * np.eye(12)
    asked = videos(np.array([2, 0, 1, 1]), 9)
    nearest = [
        min(mahalanobis(one / scale, mean / scale, np.linalg.inv(shape)) for mean in means)
        for one in asked
    ]
    in_one_unit(found.parts(asked)[:, 0], nearest)


def test_the_second_distance_is_between_the_scores_of_scikit_learn(found: Familiarity) -> None:
    learned = videos(TARGETS, 1).astype(float)
    scale = learned.std(axis=0)
    ridge = Ridge(0.1 * 12).fit(learned / scale, np.eye(3)[TARGETS])
    means = [ridge.predict(learned[target == TARGETS] / scale).mean(axis=0) for target in range(3)]
    asked = videos(np.array([2, 0, 1, 1]), 9)
    scores = ridge.predict(asked / scale)
    in_one_unit(found.parts(asked)[:, 1], cdist(scores, means).min(axis=1))


def in_one_unit(told: np.ndarray, expected: Sequence[float] | np.ndarray) -> None:
    assert told / told[0] == pytest.approx(np.array(expected) / expected[0], rel=1e-3)


def test_a_new_class_that_shares_something_with_each_is_known_by_its_scores() -> None:
    """Shape and motion, each seen; a shape and a motion that were never seen together."""
    random = np.random.default_rng(2)

    def made(shape: int, motion: int, count: int) -> np.ndarray:
        told = np.hstack([np.tile(np.eye(3)[shape], 5), np.tile(np.eye(3)[motion], 5)])
        return (told + random.normal(scale=0.5, size=(count, 30))).astype(np.float32)

    pairs = [(shape, motion) for shape in range(3) for motion in range(3) if shape + motion < 4]
    learned = np.concatenate([made(*pair, 60) for pair in pairs])
    targets = np.repeat(np.arange(len(pairs)), 60)
    groups = [f"g{number % 12}" for number in range(len(targets))]
    found = fit_by_folds(learned, targets, group_folds(targets, groups))
    assert (found.distance(made(2, 2, 200)) > 1).mean() > 0.8
    assert (found.parts(made(2, 2, 200))[:, 1] > found.threshold).mean() > 0.8
    known = np.concatenate([made(*pair, 200) for pair in pairs])
    assert 0.02 < (found.distance(known) > 1).mean() < 0.09


def test_it_is_kept_as_the_same_bytes(found: Familiarity, tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        found.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    asked = videos(TARGETS[:5], 4)
    assert (Familiarity.load(tmp_path / "a.npz").distance(asked) == found.distance(asked)).all()


def test_few_videos_and_a_feature_that_never_changes_are_no_fault() -> None:
    features = np.hstack([videos(TARGETS[:9], 5), np.ones((9, 1), np.float32)])
    found = fit_beside(features[:6], TARGETS[:6], features[6:])
    assert np.isfinite(found.distance(features)).all()
    assert found.distance(features[6:]).max() == pytest.approx(1.0, abs=1e-5)


def test_features_are_what_the_last_layer_reads() -> None:
    import keras

    from reelflow.networks import build

    shape = (4, 16, 16, 3)
    clip = np.random.default_rng(0).integers(256, size=(2, *shape)).astype(np.uint8)
    read = features_of(build("cnn", shape, 2, (0, 0, 0), (1, 1, 1)))
    assert read(clip).shape == (128,)
    assert read(clip) == pytest.approx((read(clip[:1]) + read(clip[1:])) / 2, abs=1e-4)
    plain = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(2)])
    assert features_of(plain)(clip[:1]) == pytest.approx(clip[0].ravel())
