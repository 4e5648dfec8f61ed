"""What the report says of a model in sentences: the headline, the summary, and its warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reelflow.evaluation.verdict import test_of as whose
from reelflow.reports.evaluation_report import Evaluation, render, summary, tables, warnings
from tests.evaluations import MIXED, clip, evaluation, history, manifest, said


def test_a_good_model_is_said_to_be_right_with_its_interval_and_baseline() -> None:
    good = evaluation([0, 1] * 19 + [1, 1], [0, 1] * 20)
    assert good.verdict.headline == "Right for 98% of the videos that it had never seen"
    text = " ".join(summary(good))
    assert "On 40 test videos from 40 groups" in text
    assert "for 39: an accuracy of 98% (95% interval 87–99.6%)" in text
    assert "would be right for 50%" in text
    assert "weakest class is “left”: it finds 19 of 20" in text


def test_a_model_like_chance_is_not_shown_to_beat_the_baseline() -> None:
    chance = evaluation([0, 1] * 10, [0, 0, 1, 1] * 5)
    assert chance.verdict.headline == "Not shown to beat always answering “left”"
    assert said(warnings.warnings(chance), "not shown to beat the 0.50 of a constant answer")


def test_a_model_below_the_baseline_is_said_to_be() -> None:
    worse = evaluation([1, 0] * 18 + [0, 1] * 2, [0, 1] * 20)
    assert worse.verdict.headline == "Worse than always answering “left”"


def test_one_group_cannot_tell() -> None:
    single = evaluation(*MIXED, groups=["only"] * 24)
    assert single.verdict.headline.startswith("Too few test videos")
    assert said(warnings.warnings(single), "The test is of one group")
    assert "interval" not in " ".join(summary(single))


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ("No video has a known group", {"groups": [None] * 24, "unknown": True}),
        ("24 of 28 videos have no known group", {"groups": [None] * 24}),
        ("has only 6 groups", {"groups": [*"uvwxyz"] * 4}),
        ("The test has 24 test videos of 3 groups", {"groups": ["x", "y", "z"] * 8}),
        ("2 groups of the test also stand in training", {"groups": ["s1", "s2"] * 12}),
        ("the last epoch was the best", {"history": history([3.0, 2.0])}),
        ("the first epoch was the best", {"history": history([2.0, 3.0])}),
        (
            "learned its training videos by heart",
            {"history": history([2, 1], 0.99, 0.6)},
        ),
        ("the validation videos differ", {"history": history([1.0], 0.99, 0.6)}),
        ("well above that on validation (30%)", {"history": history([1.0], 0.4, 0.3)}),
        ("well below that on validation (100%)", {"history": history([1.0], 1.0, 1.0)}),
        (
            "damaged, and used up to the damage: 2 of 20 videos. The last whole frame stands for "
            "up to 10% of a video",
            {"manifest": manifest(20).assign(intact=[45, 48] + [50] * 18)},
        ),
    ],
)
def test_a_warning_is_given_where_it_applies(words: str, changes: dict[str, Any]) -> None:
    unknown = changes.pop("unknown", False)
    targets = [0, 1] * 12
    shown = evaluation([0, 1] * 6 + [0, 0, 1, 1, 0, 1] * 2, targets, **changes)
    if unknown:
        splits = {name: split.assign(known_group=None) for name, split in shown.splits.items()}
        shown = replace(shown, splits=splits)
    assert said(
        [w[0].lower() + w[1:] for w in warnings.warnings(shown)], words[0].lower() + words[1:]
    )


def test_a_last_epoch_that_is_the_best_by_little_is_no_warning() -> None:
    settled = [3.0, 2.0, 1.0, 0.9, 0.85, 0.84]
    shown = evaluation([0, 1] * 12, [0, 1] * 12, history=history(settled))
    assert not said(warnings.warnings(shown), "The last epoch was the best")


def test_untested_and_thinly_tested_classes_are_named() -> None:
    shown = evaluation([0, 1] * 6, [0] * 11 + [1], labels=("left", "right", "up"))
    sentences = warnings.warnings(shown)
    assert said(sentences, "Nothing is known about “up”")
    assert said(sentences, "figures of “right” rest on fewer than 5")


def test_one_answer_to_everything_is_said() -> None:
    assert said(warnings.warnings(evaluation([0] * 8, [0, 1] * 4)), "Every test video was called")


def test_accuracy_carried_by_common_classes_is_said() -> None:
    shown = evaluation([0] * 20, [0] * 18 + [1, 1])
    assert said(warnings.warnings(shown), "carried by the common classes")


def test_no_mistake_is_not_called_certainty() -> None:
    perfect = evaluation([0, 1] * 15, [0, 1] * 15)
    assert said(warnings.warnings(perfect), "fails on 10% of all groups may show no mistake on 30")


def without_groups(videos: int = 24, **changes: Any) -> Evaluation:
    """Of videos without a known group, two of which show the same and stand in one "group"."""
    alike = [*["like g0"] * 2, *[None] * (videos - 2)]
    shown = evaluation([0, 1] * (videos // 2), [0, 1] * (videos // 2), groups=alike, **changes)
    splits = {name: split.assign(known_group=None) for name, split in shown.splits.items()}
    return replace(shown, splits=splits)


def test_near_duplicates_are_not_called_known_groups() -> None:
    shown = without_groups(videos=10)
    sentences = warnings.warnings(shown)
    assert said(sentences, "No video has a known group")
    assert said(sentences, "The test has only 9 videos (near-duplicates count as one)")
    assert " group" not in summary(shown)[0]
    assert tables.groups(shown)["all"] == 0


@pytest.mark.parametrize(
    ("official", "headline", "warned"),
    [
        ([], "of the videos that it had never seen", ""),
        (["train", "validation"], "of test videos drawn from the official training part",
         "has no test (train and validation alone): the test is drawn from its training videos, so "
         "that it shows their scenes and flatters. To test on the official validation videos "
         "instead, import with the option `--split-value validation=test`; validation is then "
         "drawn from the training videos. On the official validation videos, this model is right "
         "for 19%."),
        (["train"], "of test videos drawn from the official training part", "flatters."),
        (["train", "test"], "of the official test videos", ""),
    ],
)  # fmt: skip
def test_whose_test_it_is_stands_in_the_headline(
    official: list[str], headline: str, warned: str
) -> None:
    tested = whose(official, float("test" in official))
    given = manifest(20).assign(split=[*official, *[None] * (20 - len(official))])
    right = [0, 1] * 20
    shown = evaluation(right, right, test=tested, manifest=given, history=history([1.0], 0.9, 0.19))
    assert shown.verdict.headline == f"Right for 100% {headline}"
    found = [sentence for sentence in warnings.warnings(shown) if "official split has" in sentence]
    assert (len(found), warned in "".join(found)) == (int(bool(warned)), True)
    assert said(warnings.warnings(shown), "well above that on validation (19%)")


def test_the_epoch_that_was_kept_is_that_which_training_chose() -> None:
    losses = history([1.0, 0.1, 0.9, 0.5, 0.6])
    alone = " ".join(render(evaluation(*MIXED, history=losses), clip).split())
    assert "epoch 2 were kept, the one with the lowest validation loss. There" in alone
    windows = {"train": {"regularise.stop_window": 3}, "evaluate": {"bootstrap": 1000}}
    best = {"best_epoch": 4, "accuracy": 0.8, "val_accuracy": 0.8}
    shown = evaluation(*MIXED, history=losses, params=windows, best=best)
    together = " ".join(render(shown, clip).split())
    assert "epoch 4 were kept, the one with the lowest mean validation loss over 3" in together


def test_a_fine_model_gets_no_warning_and_a_calm_word() -> None:
    trained = history([0.9, 0.5, 0.6], 0.97, 0.97)
    fine = evaluation([0, 1] * 29 + [1, 0], [0, 1] * 30, history=trained)
    assert warnings.warnings(fine) == []
    assert "found a reason for doubt" in render(fine, clip)
