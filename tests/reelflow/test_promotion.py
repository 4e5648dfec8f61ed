"""Who becomes the champion, and why: the rule as a table, the score against `reelflow.metrics`."""

from __future__ import annotations

import numpy as np
import pytest

from reelflow import metrics
from reelflow.promotion import METRICS, Comparison, Rule, decide, score

RULE = Rule("balanced_accuracy", 0.5)


def test_the_first_that_reaches_the_minimum_becomes_the_champion() -> None:
    decision = decide(RULE, 0.5, lambda: None)
    assert decision.champion
    assert decision.reason == (
        "balanced_accuracy 0.5 reaches the minimum of 0.5, and there was no champion."
    )


def test_below_the_minimum_the_champion_is_not_even_asked() -> None:
    decision = decide(RULE, 0.49, lambda: pytest.fail("asked"))
    assert not decision.champion
    assert decision.reason == "balanced_accuracy 0.49 is below the minimum of 0.5."


@pytest.mark.parametrize(
    ("champion", "becomes", "link"), [(0.7, True, "and"), (0.8, True, "and"), (0.9, False, "but")]
)
def test_no_worse_than_the_champion_is_enough(champion: float, becomes: bool, link: str) -> None:
    decision = decide(RULE, 0.8, lambda: Comparison("3", champion))
    assert decision.champion is becomes
    assert decision.reason == (
        f"balanced_accuracy 0.8 reaches the minimum of 0.5, {link} the champion, version 3, "
        f"has {champion} on the same videos."
    )


def test_a_champion_that_cannot_be_loaded_stays_and_the_reason_says_so() -> None:
    decision = decide(RULE, 0.8, lambda: Comparison("3", None, "its files are gone."))
    assert not decision.champion
    assert decision.reason.endswith("but the champion, version 3, stays: its files are gone.")


def test_what_speaks_about_the_comparison_is_in_the_reason() -> None:
    decision = decide(RULE, 0.8, lambda: Comparison("3", 0.4, "It does not know jump."))
    assert decision.reason.endswith("has 0.4 on the same videos. It does not know jump.")


@pytest.mark.parametrize("metric", METRICS)
def test_the_score_is_the_figure_of_evaluate(metric: str) -> None:
    labels = ["a", "b", "c", "never tested"]
    random = np.random.default_rng(5)
    targets = random.integers(3, size=50)
    probabilities = random.dirichlet(np.ones(4), size=50)
    figures = metrics.evaluate(targets, probabilities, [None] * 50, labels, majority=0)
    answers = [labels[i] for i in probabilities.argmax(axis=1)]
    assert score(metric, [labels[i] for i in targets], answers) == figures[metric]


@pytest.mark.parametrize("metric", METRICS)
def test_no_answer_and_a_label_that_is_none_here_are_wrong_answers(metric: str) -> None:
    truth = ["a", "a", "b", "b"]
    assert score(metric, truth, ["a", None, "b", "b"]) == score(metric, truth, ["a", "x", "b", "b"])
    assert score(metric, truth, ["a", None, "b", "b"]) < score(metric, truth, truth) == 1.0
