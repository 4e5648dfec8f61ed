from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from reelflow.base.errors import DataError
from reelflow.training.ridge_head import RidgeHead, fit_ridge_head, softmax

VIDEOS, GROUPS, CLASSES = 120, 20, 3
TARGETS = np.arange(VIDEOS) % CLASSES
GROUP = [f"g{number // (VIDEOS // GROUPS)}" for number in range(VIDEOS)]
EQUAL = np.ones(CLASSES)


def noise(width: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(VIDEOS, width)).astype(np.float32)


def signal(strength: float, seed: int, width: int = 40) -> NDArray[np.float32]:
    """Noise, and one feature a class that is larger in videos of that class."""
    features = noise(width, seed)
    features[np.arange(VIDEOS), TARGETS] += strength
    return features


def fit(blocks: dict[str, NDArray[np.float32]], candidates: list[tuple[str, ...]]) -> RidgeHead:
    return fit_ridge_head(blocks, candidates, TARGETS, GROUP, EQUAL)


def test_of_several_blocks_the_one_that_tells_the_classes_apart_is_chosen() -> None:
    blocks = {"noise": noise(40, 1), "signal": signal(3.0, 2)}
    head = fit(blocks, [("noise",), ("signal",)])
    assert head.blocks == ("signal",)
    assert head.chosen.accuracy > 0.85
    by_name = {one.blocks: one.accuracy for one in head.judged}
    assert by_name[("noise",)] < 0.5


def test_of_equally_accurate_candidates_the_surer_one_is_chosen() -> None:
    """Both make no mistake; one separates the classes by more."""
    blocks = {"near": signal(4.5, 1, 10), "far": signal(6.0, 2, 10)}
    for order in (("near",), ("far",)), (("far",), ("near",)):
        head = fit(blocks, list(order))
        assert [one.accuracy for one in head.judged] == [1.0, 1.0]
        assert head.blocks == ("far",)


def test_two_weak_views_are_better_together() -> None:
    blocks = {name: signal(1.3, seed) for seed, name in enumerate("abcd")}
    head = fit(blocks, [("a",), tuple("abcd")])
    assert head.blocks == tuple("abcd")
    assert head.weights.shape == (160, CLASSES)


def test_the_head_gives_the_mean_of_a_ridge_regression_a_block() -> None:
    blocks = {"a": signal(2.0, 1), "b": 5.0 + 10.0 * signal(2.0, 2, width=30)}
    head = fit(blocks, [("a", "b")])
    scores = []
    for features in blocks.values():
        scaled = (features - features.mean(0)) / features.std(0) / np.sqrt(features.shape[1])
        ridge = Ridge(head.chosen.penalty).fit(scaled, np.eye(CLASSES)[TARGETS])
        scores.append(ridge.predict(scaled))
    expected = np.mean(scores, axis=0)
    found = np.concatenate(list(blocks.values()), axis=1) @ head.weights + head.bias
    # The temperature is the only factor between them.
    factor = found.std() / expected.std()
    np.testing.assert_allclose(found, factor * expected, atol=1e-4 * factor)


def test_features_that_show_the_group_alone_are_worth_nothing() -> None:
    """Each group is of one class, and the features name the group: a random split would flatter."""
    groups = [f"g{number % 12}" for number in range(VIDEOS)]
    targets = np.arange(VIDEOS) % 12 % CLASSES
    features = np.eye(12)[np.arange(VIDEOS) % 12].astype(np.float32)
    head = fit_ridge_head({"group": features}, [("group",)], targets, groups, EQUAL)
    assert head.chosen.accuracy < 0.5


def test_probabilities_are_calibrated_on_videos_that_were_left_out() -> None:
    # More features than videos: on what it has learned a regression without penalty is sure.
    head = fit({"weak": signal(1.0, 3, width=400)}, [("weak",)])
    confidence = head.probabilities.max(axis=1).mean()
    right = (head.probabilities.argmax(axis=1) == TARGETS).mean()
    assert confidence == pytest.approx(right, abs=0.1)


def test_a_rare_class_counts_what_its_weight_says() -> None:
    rng = np.random.default_rng(0)
    targets = (np.arange(VIDEOS) % 10 == 0).astype(int)
    features = rng.normal(size=(VIDEOS, 5)).astype(np.float32)
    features[:, 0] += 1.2 * targets
    groups = [str(number) for number in range(VIDEOS)]
    found = {}
    for name, weights in {"equal": np.ones(2), "balanced": np.array([0.55, 5.0])}.items():
        head = fit_ridge_head({"f": features}, [("f",)], targets, groups, weights)
        found[name] = (head.probabilities.argmax(axis=1) == 1).sum()
    assert found["equal"] < 12 < found["balanced"]


def test_a_constant_feature_harms_nothing() -> None:
    features = signal(3.0, 1)
    features[:, 7] = 1e6
    head = fit({"a": features}, [("a",)])
    assert head.weights[7] == pytest.approx(0.0)
    assert np.isfinite(head.weights).all()


def test_a_class_of_one_group_is_refused_with_what_to_do() -> None:
    groups = ["only" if target == 0 else name for target, name in zip(TARGETS, GROUP, strict=True)]
    with pytest.raises(DataError, match="Add videos of another group"):
        fit_ridge_head({"a": noise(5, 1)}, [("a",)], TARGETS, groups, EQUAL)


def test_the_same_videos_give_the_same_bits() -> None:
    one, two = (fit({"a": signal(1.0, 1)}, [("a",)]) for _ in range(2))
    assert one.weights.tobytes() == two.weights.tobytes()


def test_softmax_of_scores_sums_to_one() -> None:
    found = softmax(np.array([[0.0, np.log(3.0)], [1000.0, 0.0]]))
    np.testing.assert_allclose(found, [[0.25, 0.75], [1.0, 0.0]])
