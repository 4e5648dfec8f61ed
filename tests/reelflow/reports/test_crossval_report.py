"""The page of a cross-validation, and the word on it in the report of a normal run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reelflow.reports.crossval_report import headline, render, warnings
from reelflow.reports.evaluation_report import warnings as of_a_run
from tests.evaluations import MIXED, evaluation, said

FIGURES: dict[str, Any] = {
    "network": "cnn", "made": "2 folds of whole groups, 1 repeat", "videos": 40, "groups": 20,
    "folds": 2, "repeats": 1, "between": "repeats", "interval_confidence": 0.95, "untested": 0,
    "accuracy": 0.8, "accuracy_low": 0.7, "accuracy_high": 0.88, "accuracy_deviation": None,
    "balanced_accuracy": 0.8, "balanced_accuracy_low": 0.7, "balanced_accuracy_high": 0.88,
    "baseline_accuracy": 0.5, "baseline_balanced_accuracy": 0.5, "without_pictures": None,
}  # fmt: skip


def found(
    group: str | None = "<g>", **changes: Any
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    fold = {"repeat": 1, "groups": 1, "left_out": group or "", "videos": 1, "accuracy": 1.0,
            "balanced_accuracy": 1.0, "network": "cnn", "features": "", "best_epoch": 3,
            "core_seconds": 0.5, "parameters": 1234}  # fmt: skip
    answers = pd.DataFrame(
        {"hash": ["a", "b"], "label": ["x", "y"], "group": [group, group], "right": [True, False]}
    )
    folds = pd.DataFrame([{**fold, "fold": 1}, {**fold, "fold": 2}])
    return {**FIGURES, **changes}, folds, answers


def doubts(shown: tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]) -> list[str]:
    figures, _, answers = shown
    return warnings(figures, answers)


def test_the_page_stands_alone_and_escapes_names() -> None:
    page = render(*found(), {"epochs": 3})
    assert "&lt;g&gt;" in page
    assert "<g>" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "1,234" in page
    assert "Right for 80% of videos of unseen groups" in page


def test_a_deviation_is_said_to_be_that_of_repeats_or_of_official_splits() -> None:
    for between, dealt in (("repeats", True), ("official splits", False)):
        page = render(*found(between=between, accuracy_deviation=0.02), {"epochs": 3})
        assert f"Between {between} it varies with a standard deviation of 2.0 points" in page
        assert f"means over {between}" in page
        assert ("luck of dealing" in page) is dealt


def test_what_is_no_better_than_a_constant_answer_is_said_so() -> None:
    assert headline({**FIGURES, "balanced_accuracy_low": 0.49}).startswith("Not shown to beat")
    assert headline({**FIGURES, "balanced_accuracy_low": None}).startswith("Not shown to beat")


def test_each_reason_for_doubt_is_a_sentence_and_none_without_one() -> None:
    assert doubts(found()) == []
    assert said(doubts(found(groups=6)), "only 6 groups")
    assert said(doubts(found(group=None)), "no known group")
    assert said(doubts(found(untested=2)), "2 videos could not be judged")
    files = {"share": 0.75, "low": 0.6, "high": 0.8}
    assert said(doubts(found(without_pictures=files)), "file properties alone")
    assert not doubts(found(without_pictures={**files, "share": 0.69}))
    assert "Balanced, file properties alone" in render(
        *found(without_pictures=files), {"epochs": 3}
    )


def test_where_the_test_has_few_groups_the_report_says_what_would_say_more() -> None:
    few = evaluation(*MIXED, groups=[f"g{i % 6}" for i in range(24)], more_groups="Do this.")
    assert said(of_a_run.warnings(few), "moves every figure. Do this.")
    many = evaluation(*MIXED, more_groups="Do this.")
    assert not said(of_a_run.warnings(many), "Do this.")
