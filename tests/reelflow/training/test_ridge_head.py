from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss

from reelflow.base.errors import DataError
from reelflow.training.ridge_head import RidgeHead, fit_ridge_head

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


def by_scikit_learn(features: NDArray[np.float32], penalty: float) -> NDArray[np.float64]:
    scaled = (features - features.mean(0)) / features.std(0) / np.sqrt(features.shape[1])
    found: NDArray[np.float64] = (
        Ridge(penalty).fit(scaled, np.eye(CLASSES)[TARGETS]).predict(scaled)
    )
    return found


def assert_same_but_for_temperature(
    head: RidgeHead, blocks: dict[str, NDArray[np.float32]], expected: NDArray[np.float64]
) -> None:
    features = np.concatenate([blocks[name] for name in head.blocks], axis=1)
    found = features @ head.weights + head.bias
    factor = found.std() / expected.std()
    np.testing.assert_allclose(found, factor * expected, atol=1e-4 * factor)


def share(head: RidgeHead, name: str) -> float:
    """Of a candidate of one block, whatever its penalties."""
    return sum(share for (of, _), share in head.chosen.shares.items() if of == (name,))


def fit(blocks: dict[str, NDArray[np.float32]], candidates: list[tuple[str, ...]]) -> RidgeHead:
    return fit_ridge_head(blocks, candidates, TARGETS, GROUP, EQUAL)


def test_of_several_blocks_the_one_that_tells_the_classes_apart_is_chosen() -> None:
    blocks = {"noise": noise(40, 1), "signal": signal(3.0, 2)}
    head = fit(blocks, [("noise",), ("signal",)])
    assert head.blocks == ("signal",)
    assert head.chosen.accuracy > 0.85
    assert head.judged[0].accuracy < 0.5


def test_of_equally_accurate_candidates_the_surer_one_counts_most() -> None:
    """Both make no mistake; one separates the classes by more."""
    blocks = {"near": signal(4.5, 1, 10), "far": signal(6.0, 2, 10)}
    for order in (("near",), ("far",)), (("far",), ("near",)):
        head = fit(blocks, list(order))
        assert [one.accuracy for one in head.judged] == [1.0, 1.0]
        assert share(head, "far") > 0.6


def test_candidates_that_err_apart_are_averaged_and_the_head_is_their_average() -> None:
    """By scikit-learn: each fitted alone, their scores averaged as the shares have it."""
    blocks = {name: signal(1.6, seed) for seed, name in enumerate("ab")}
    head = fit(blocks, [("a",), ("b",)])
    assert set(head.blocks) == {"a", "b"}
    assert sum(head.chosen.shares.values()) == pytest.approx(1)
    assert sum(head.chosen.weights.values()) == pytest.approx(1)
    assert head.chosen.accuracy > max(one.accuracy for one in head.judged)
    expected = sum(
        weight * by_scikit_learn(blocks[name], penalty)
        for ((name,), penalty), weight in head.chosen.weights.items()
    )
    assert_same_but_for_temperature(head, blocks, expected)


def test_an_average_makes_left_out_videos_more_probable_than_each_alone() -> None:
    blocks = {name: signal(1.6, seed) for seed, name in enumerate("ab")}
    both, *alone = (fit(blocks, some) for some in ([("a",), ("b",)], [("a",)], [("b",)]))
    losses = [log_loss(TARGETS, head.probabilities) for head in alone]
    assert log_loss(TARGETS, both.probabilities) < min(losses)


def test_what_shows_nothing_counts_next_to_nothing() -> None:
    blocks = {"signal": signal(2.0, 1), "noise": noise(40, 2)}
    assert share(fit(blocks, [("noise",), ("signal",)]), "signal") > 0.8


def test_two_weak_views_are_better_together() -> None:
    blocks = {name: signal(1.3, seed) for seed, name in enumerate("abcd")}
    head = fit(blocks, [("a",), tuple("abcd")])
    assert head.blocks == tuple("abcd")
    assert head.weights.shape == (160, CLASSES)


def test_the_head_gives_the_mean_of_a_ridge_regression_a_block() -> None:
    blocks = {"a": signal(2.0, 1), "b": 5.0 + 10.0 * signal(2.0, 2, width=30)}
    head = fit(blocks, [("a", "b")])
    assert [sum(terms.values()) for terms in head.chosen.terms.values()] == pytest.approx(
        [0.5, 0.5]
    )
    expected = sum(
        weight * by_scikit_learn(blocks[name], penalty)
        for name, terms in head.chosen.terms.items()
        for penalty, weight in terms.items()
    )
    assert_same_but_for_temperature(head, blocks, expected)


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


def test_a_class_without_a_video_is_refused_too() -> None:
    """The last one is not seen in the targets: `embed` could make nothing of its videos."""
    few = TARGETS < CLASSES - 1
    groups = [name for name, kept in zip(GROUP, few, strict=True) if kept]
    with pytest.raises(DataError, match="fewer than two groups"):
        fit_ridge_head({"a": noise(5, 1)[few]}, [("a",)], TARGETS[few], groups, EQUAL)
