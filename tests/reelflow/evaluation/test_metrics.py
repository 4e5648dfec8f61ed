"""Metrics: scikit-learn is the truth for every figure, and a slow plain loop for the bootstrap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sk

from reelflow.evaluation import intervals, metrics
from reelflow.evaluation.answers import Answers, group_codes
from reelflow.evaluation.intervals import Bootstrap, Weight

LABELS = ["a", "b", "c", "d"]
ENDS = ("_low", "_high")


def answers(videos: int, classes: int, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Targets and probabilities of a model that is right now and then."""
    random = np.random.default_rng(seed)
    targets = random.integers(classes, size=videos)
    scores = random.dirichlet(np.ones(classes), videos).astype(np.float32)
    scores[np.arange(videos), targets] += 0.3
    return targets, scores / scores.sum(axis=1, keepdims=True)


def evaluate(targets: Any, scores: Any, **options: Any) -> dict[str, Any]:
    options = {"groups": [None] * len(targets), "labels": LABELS, "majority": 0, **options}
    return metrics.evaluate(np.asarray(targets), np.asarray(scores, np.float32), **options)


def one_hot(predicted: list[int], classes: int = 4) -> NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)[predicted]


def test_overall_figures_are_those_of_scikit_learn() -> None:
    targets, scores = answers(200, 4)
    predicted = scores.argmax(axis=1)
    found = evaluate(targets, scores, majority=2)
    expected = {
        "accuracy": sk.accuracy_score(targets, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(targets, predicted),
        "macro_precision": sk.precision_score(targets, predicted, average="macro"),
        "macro_recall": sk.recall_score(targets, predicted, average="macro"),
        "macro_f1": sk.f1_score(targets, predicted, average="macro"),
        "baseline_accuracy": sk.accuracy_score(targets, np.full(200, 2)),
        "kappa": sk.cohen_kappa_score(targets, predicted),
        "brier": sk.brier_score_loss(targets, scores, labels=range(4)) / 2,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    top2 = sk.top_k_accuracy_score(targets, scores, k=2)
    assert found["top_2_accuracy"] == pytest.approx(top2, abs=1e-6)


def test_figures_of_a_class_are_those_of_scikit_learn() -> None:
    targets, scores = answers(200, 4)
    found = evaluate(targets, scores)["per_class"]["c"]
    actual, predicted = targets == 2, scores.argmax(axis=1) == 2
    expected = {
        "precision": sk.precision_score(actual, predicted),
        "recall": sk.recall_score(actual, predicted),
        "f1": sk.f1_score(actual, predicted),
        "support": actual.sum(),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_the_bootstrap_is_that_of_a_plain_loop_over_drawn_groups() -> None:
    targets, scores = answers(60, 3)
    groups = np.arange(60) % 9
    predicted = scores.argmax(axis=1)
    found = evaluate(
        targets, scores, groups=groups, labels=LABELS[:3], bootstrap=Bootstrap(200, 0.9, seed=5)
    )

    drawn = np.random.default_rng(5).integers(9, size=(200, 9))
    values: dict[str, list[Any]] = {"accuracy": [], "balanced_accuracy": [], "class_f1": []}
    for row in drawn:
        chosen = np.concatenate([np.flatnonzero(groups == group) for group in row])
        pair = targets[chosen], predicted[chosen]
        values["accuracy"].append(sk.accuracy_score(*pair))
        values["balanced_accuracy"].append(sk.balanced_accuracy_score(*pair))
        values["class_f1"].append(sk.f1_score(*pair, average=None, labels=range(3)))
    support, called = (np.zeros((9, 3)) for _ in range(2))
    np.add.at(support, (groups, targets), 1)
    np.add.at(called, (groups, predicted), 1)
    whole = Weight.of(support.sum(axis=1))
    behind = {
        "accuracy": whole,
        "balanced_accuracy": Weight.of(support).mean(whole),
        "class_f1": Weight.of((support + called) / 2),
    }
    for name, sample in values.items():
        value = {
            "accuracy": sk.accuracy_score(targets, predicted),
            "balanced_accuracy": sk.balanced_accuracy_score(targets, predicted),
            "class_f1": sk.f1_score(targets, predicted, average=None),
        }[name]
        ends = Bootstrap(200, 0.9, seed=5).interval(value, np.array(sample), behind[name])
        shown = [found, *found["per_class"].values()][1 if name == "class_f1" else 0 :]
        of = name.removeprefix("class_")
        ours = [[figures[f"{of}{end}"] for figures in shown[: ends[0].size]] for end in ENDS]
        assert np.array(ours) == pytest.approx(ends.reshape(2, -1), abs=1e-6)


def test_the_draws_do_not_depend_on_how_many_are_held_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    targets, scores = answers(50, 4)
    whole = evaluate(targets, scores)
    monkeypatch.setattr(intervals, "DRAWS_AT_ONCE", 50 * 7)
    assert evaluate(targets, scores) == whole


def test_clips_that_fail_together_widen_the_interval() -> None:
    targets = np.zeros(100, dtype=np.int64)
    scores = one_hot([0] * 50 + [1] * 50)
    alone = evaluate(targets, scores)
    together = evaluate(targets, scores, groups=[f"g{i // 10}" for i in range(100)])
    assert alone["accuracy"] == together["accuracy"] == 0.5
    assert together["accuracy_low"] < alone["accuracy_low"] - 0.1
    assert together["accuracy_high"] > alone["accuracy_high"] + 0.1


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    targets, scores = answers(40, 4)
    assert evaluate(targets, scores) == evaluate(targets, scores)
    other = evaluate(targets, scores, bootstrap=Bootstrap(seed=1))
    assert other["macro_f1_low"] != evaluate(targets, scores)["macro_f1_low"]


def test_videos_without_a_group_are_groups_of_their_own() -> None:
    codes = group_codes(["x", None, "y", float("nan"), "x", ""])
    assert codes.tolist() == [0, 2, 1, 3, 0, 4]


def test_a_class_without_test_videos_has_no_figures_and_no_part_in_the_averages() -> None:
    targets, scores = answers(60, 3)
    padded = np.hstack([scores, np.zeros((60, 1), np.float32)])
    found, without = evaluate(targets, padded), evaluate(targets, scores, labels=LABELS[:3])
    missing = found["per_class"].pop("d")
    assert missing.pop("support") == missing.pop("groups") == 0
    assert set(missing.values()) == {None}
    assert found == without


def test_answering_with_an_untested_class_costs_recall_and_raises_no_warning() -> None:
    found = evaluate([0, 0, 1, 1], one_hot([0, 3, 1, 3]))
    assert found["balanced_accuracy"] == 0.5
    assert found["macro_precision"] == 1.0
    assert found["per_class"]["d"]["precision"] is None


def test_a_class_never_predicted_has_precision_nought() -> None:
    found = evaluate([0, 0, 1, 1], one_hot([0, 0, 0, 0]))
    assert found["per_class"]["b"]["precision"] == 0.0
    assert found["per_class"]["b"]["f1"] == 0.0
    assert found["macro_precision"] == 0.25


def test_one_group_gives_no_interval() -> None:
    targets, scores = answers(20, 4)
    found = evaluate(targets, scores, groups=["only"] * 20)
    assert found["groups"] == 1
    assert found["accuracy"] is not None
    assert found["accuracy_low"] is found["accuracy_high"] is found["top_2_accuracy_low"] is None


@pytest.mark.parametrize("predicted", [[0, 1] * 6, [1, 0] * 6])
def test_all_right_and_all_wrong_are_not_said_to_be_sure(predicted: list[int]) -> None:
    found = evaluate([0, 1] * 6, one_hot(predicted))
    figures = [found, found["per_class"]["a"]]
    for figure, name in [*[(found, n) for n in ("accuracy", "balanced_accuracy", "macro_f1")],
                         *[(figures[1], n) for n in ("recall", "precision", "f1")]]:  # fmt: skip
        assert 0.1 < figure[f"{name}_high"] - figure[f"{name}_low"] < 0.6


def test_a_class_inside_one_group_gets_no_interval_of_its_own() -> None:
    found = evaluate([0, 0, 1, 1], one_hot([0, 1, 1, 0]), groups=["x", "x", "x", "y"])
    assert found["per_class"]["a"]["recall_low"] is None
    assert found["per_class"]["b"]["recall_low"] is not None
    assert found["accuracy_low"] is not None


def test_top_1_is_the_accuracy_where_answers_are_equal_too() -> None:
    scores = np.array([[0.4, 0.4, 0.2, 0], [0.4, 0.4, 0.2, 0], [0, 0.5, 0, 0.5]])
    targets = np.array([0, 1, 1])
    assert metrics.top_k_hits(targets, scores, 1).tolist() == [True, False, True]


@pytest.mark.parametrize("k", [1, 2, 5])
def test_a_top_k_accuracy_that_is_no_news_is_not_given(k: int) -> None:
    targets, scores = answers(30, 2)
    found = evaluate(targets, scores, labels=LABELS[:2], top_k=k)
    assert not [name for name in found if "top" in name]


def test_a_metric_is_a_function_and_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def confidence(asked: Answers, weights: Any) -> Iterator[metrics.Figure]:
        sure = weights @ asked.probabilities.max(axis=1) / weights.sum(axis=1)
        yield metrics.Figure("mean_confidence", sure, asked.whole, compared=True)

    def missed(asked: Answers, weights: Any) -> Iterator[metrics.Figure]:
        actual = asked.one_hot(asked.targets)
        lost = weights @ (actual * ~asked.right[:, None]) / (weights @ actual)
        yield metrics.Figure("missed", lost, asked.behind(actual))

    monkeypatch.setattr(metrics, "METRICS", (*metrics.METRICS, confidence, missed))
    targets, scores = answers(200, 4)
    found = evaluate(targets, scores)
    sure = scores.max(axis=1).mean()
    assert found["mean_confidence"] == pytest.approx(sure, abs=1e-6)
    assert found["mean_confidence_low"] < sure < found["mean_confidence_high"]
    assert found["compared"][-1] == "mean_confidence"
    of_c = found["per_class"]["c"]
    assert of_c["missed"] == pytest.approx(1 - of_c["recall"], abs=1e-6)
    assert of_c["missed_high"] == pytest.approx(1 - of_c["recall_low"], abs=1e-6)
    assert found["macro_missed"] == pytest.approx(1 - found["macro_recall"], abs=1e-6)


@pytest.mark.parametrize(
    ("targets", "predicted"),
    [([0], [0]), ([0], [1]), ([0, 0], [3, 3]), ([0, 1, 2, 3], [2, 2, 2, 2])],
)
def test_the_smallest_tests_are_json_without_nan(targets: list[int], predicted: list[int]) -> None:
    json.dumps(evaluate(targets, one_hot(predicted)), allow_nan=False)
