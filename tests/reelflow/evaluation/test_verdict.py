"""The one verdict: better than a constant answer, or not, or too few videos to say so."""

from __future__ import annotations

from typing import Any

import pytest

from reelflow.evaluation.verdict import Floor, judge

FLOOR = Floor(videos=10, groups=5)


def scores(low: float | None, high: float | None, **changes: Any) -> dict[str, Any]:
    """Figures of a test of forty videos of two classes, nine in ten of one of them."""
    return {
        "videos": 40,
        "groups": 8,
        "accuracy": 0.7,
        "accuracy_low": 0.6,
        "accuracy_high": 0.8,
        "baseline_accuracy": 0.9,
        "balanced_accuracy": 0.7,
        "balanced_accuracy_low": low,
        "balanced_accuracy_high": high,
        "baseline_balanced_accuracy": 0.5,
        **changes,
    }


@pytest.mark.parametrize(
    ("low", "high", "code", "headline"),
    [
        (0.51, 0.83, "better", "Right for 70% of the videos that it had never seen"),
        (0.5, 0.83, "unproven", "Not shown to beat always answering “walk”"),
        (0.3, 0.5, "unproven", "Not shown to beat always answering “walk”"),
        (0.2, 0.49, "worse", "Worse than always answering “walk”"),
        (None, None, "too_few", "Too few test videos to say how good this model is"),
    ],
)
def test_the_whole_interval_decides(
    low: float | None, high: float | None, code: str, headline: str
) -> None:
    verdict = judge(scores(low, high), "balanced_accuracy", "walk", 0.95, FLOOR)
    assert (verdict.code, verdict.headline, verdict.proven) == (code, headline, code == "better")


def test_the_deciding_metric_is_judged_by_its_own_baseline() -> None:
    """Of nine in ten, plain accuracy says less than the common class; balanced it says more."""
    found = scores(0.6, 0.8)
    assert judge(found, "balanced_accuracy", "walk", 0.95, FLOOR).code == "better"
    assert judge(found, "accuracy", "walk", 0.95, FLOOR).code == "worse"


@pytest.mark.parametrize("few", [{"videos": 9}, {"groups": 4}])
def test_a_test_below_the_floor_shows_nothing(few: dict[str, int]) -> None:
    verdict = judge(scores(0.9, 1.0, **few), "balanced_accuracy", "walk", 0.95, FLOOR)
    assert verdict.code == "too_few"
    assert "It takes 10 videos of 5 groups" in verdict.sentence


def test_the_sentence_has_the_figures() -> None:
    verdict = judge(scores(0.61, 0.79), "balanced_accuracy", "walk", 0.95, FLOOR)
    assert verdict.sentence == (
        "Balanced accuracy 0.70 on 40 test videos of 8 groups (95% interval 0.61 to 0.79) beats "
        "the 0.50 of a constant answer."
    )
