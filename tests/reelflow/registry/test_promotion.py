"""Who becomes the champion, and why: the rule as a table, the score against `metrics`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.base.errors import ParamsError
from reelflow.evaluation import metrics
from reelflow.evaluation.answers import Answers
from reelflow.evaluation.deciding_metric import check_deciding, deciding
from reelflow.evaluation.verdict import Verdict
from reelflow.params.register import RegisterParams
from reelflow.registry.promotion import Comparison, alone, confirm, decide, score, unseen

METRICS = deciding()

RULE = RegisterParams(metric="balanced_accuracy", min_metric=0.5)
PROVEN = Verdict("better", "balanced_accuracy", "Right for 80%", "It beats a constant answer.")
UNPROVEN = Verdict("unproven", "balanced_accuracy", "Not shown", "It is not shown to beat one.")


def test_the_first_that_is_proven_and_reaches_the_minimum_becomes_the_champion() -> None:
    decision = decide(RULE, 0.5, PROVEN, lambda: None)
    assert decision.champion
    assert decision.reason == (
        "It beats a constant answer. balanced_accuracy 0.5 reaches the minimum of 0.5. There was "
        "no champion."
    )


@pytest.mark.parametrize("verdict", [UNPROVEN, replace(UNPROVEN, code="too_few")])
def test_without_a_proof_none_becomes_the_champion_however_high_its_figure(
    verdict: Verdict,
) -> None:
    decision = decide(RULE, 1.0, verdict, lambda: pytest.fail("asked"))
    assert not decision.champion
    assert decision.reason.startswith("It is not shown to beat one.")


def test_a_rule_may_ask_for_the_minimum_alone_and_the_reason_says_so() -> None:
    decision = decide(RULE.model_copy(update={"rule": "minimum"}), 0.7, UNPROVEN, lambda: None)
    assert decision.champion
    assert decision.reason == (
        "It is not shown to beat one. balanced_accuracy 0.7 reaches the minimum of 0.5, which is "
        "all that register.rule asks for. There was no champion."
    )


def test_below_the_minimum_the_champion_is_not_even_asked() -> None:
    decision = decide(RULE, 0.49, PROVEN, lambda: pytest.fail("asked"))
    assert not decision.champion
    assert decision.reason.endswith("balanced_accuracy 0.49 is below the minimum of 0.5.")


@pytest.mark.parametrize(("champion", "becomes"), [(0.7, True), (0.8, True), (0.9, False)])
def test_no_worse_than_the_champion_is_enough(champion: float, becomes: bool) -> None:
    decision = decide(RULE, 0.8, PROVEN, lambda: Comparison("3", champion, own=0.8))
    assert decision.champion is becomes
    assert decision.beside == (
        f"The champion, version 3, has {champion} on the same videos, this one 0.8."
    )


def test_what_counts_is_the_figure_on_the_videos_of_the_comparison() -> None:
    assert not decide(RULE, 0.9, PROVEN, lambda: Comparison("3", 0.8, own=0.7)).champion


def test_a_champion_that_cannot_be_loaded_stays_and_the_reason_says_so() -> None:
    lost = Comparison("3", None, remark="its files are gone.")
    decision = decide(RULE, 0.8, PROVEN, lambda: lost)
    assert not decision.champion
    assert "The champion, version 3, stays: its files are gone. Give this" in decision.reason


def test_what_speaks_about_the_comparison_is_in_the_reason() -> None:
    found = Comparison("3", 0.4, own=0.8, remark="It does not know jump.")
    decision = decide(RULE, 0.8, PROVEN, lambda: found)
    assert decision.reason.endswith("this one 0.8. It does not know jump.")


def test_the_champion_is_told_by_the_rule_of_today() -> None:
    kept = confirm(alone(RULE, 0.8, PROVEN), "There was no champion.")
    assert kept == decide(RULE, 0.8, PROVEN, lambda: None)
    stricter = confirm(
        alone(RULE.model_copy(update={"min_metric": 0.99}), 0.8, PROVEN), "There was no champion."
    )
    assert stricter.champion
    assert "is below the minimum of 0.99. It was made the champion by another rule" in (
        stricter.reason
    )


def videos(**columns: list[str | None]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(cells, dtype="str") for name, cells in columns.items()})


MANIFEST = videos(
    hash=["t1", "t2", "t3", "t4", "t5", "t6", "old"],
    group=["a", "b", None, None, "c", None, "c"],
    alike=[None, None, "s", "s", None, None, None],
)
TEST = videos(
    hash=["t1", "t2", "t3", "t4", "t5", "t6"], group=["a", "b", "x + 1", "x + 1", "c", None]
)


@pytest.mark.parametrize(
    ("learned", "new"),
    [
        ([("elsewhere", None)], ["t1", "t2", "t3", "t4", "t5", "t6"]),
        ([("t1", None)], ["t2", "t3", "t4", "t5", "t6"]),
        # A near-duplicate.
        ([("t4", None)], ["t1", "t2", "t5", "t6"]),
        # Today in the group c.
        ([("old", None)], ["t1", "t2", "t3", "t4", "t6"]),
        # Then in the group b, which was joined with two more; the video of it is gone.
        ([("t6", None), ("gone", "b + 2")], ["t1", "t3", "t4", "t5"]),
        # Another data set, which has a group b of its own.
        ([("elsewhere", "b")], ["t1", "t2", "t3", "t4", "t5", "t6"]),
    ],
)
def test_new_to_a_model_is_what_it_has_not_learned_nor_anything_like_it(
    learned: list[tuple[str, str | None]], new: list[str]
) -> None:
    hashes, groups = zip(*learned, strict=True)
    found = unseen(TEST, MANIFEST, videos(hash=list(hashes), group=list(groups)))
    assert TEST.loc[found.to_numpy(), "hash"].tolist() == new


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


def test_a_metric_of_the_list_can_decide_with_no_other_edit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert deciding() == ["accuracy", "balanced_accuracy", "macro_f1"]

    def worst_recall(answers: Answers, weights: Any) -> Iterator[metrics.Figure]:
        (_, recall) = metrics.recall(answers, weights)
        yield metrics.Figure("worst", recall.values.min(axis=1), answers.whole, compared=True)

    monkeypatch.setattr(metrics, "METRICS", (*metrics.METRICS, worst_recall))
    check_deciding("worst")
    assert score("worst", ["a", "a", "b"], ["a", "b", "b"]) == 0.5


def test_a_metric_that_cannot_decide_is_refused_with_those_that_can() -> None:
    for metric in ("acuracy", "macro_roc_auc", "brier"):
        said = f"`register.metric` is '{metric}'; allowed is accuracy, balanced_accuracy, macro_f1."
        with pytest.raises(ParamsError, match=re.escape(said)):
            check_deciding(metric)
