"""What the training and its validation say against a model: warnings of the report."""

from __future__ import annotations

import math

from reelflow.base.words import percent
from reelflow.reports.evaluation_report.content import Evaluation

# Difference between two accuracies that a reader should be told of.
LARGE_GAP = 0.15
# A last epoch lower than this share of the best before the last fifth is no end of learning.
_STILL_FALLING = 0.75


def memorised(evaluation: Evaluation) -> str | None:
    epoch = evaluation.kept_epoch
    if epoch["accuracy"] - epoch["val_accuracy"] < LARGE_GAP:
        return None
    # Nothing is learned by heart in one epoch.
    first = evaluation.kept == evaluation.history["epoch"].iloc[0]
    why = (
        "the validation videos differ from them, or are few"
        if first
        else "it has partly learned its training videos by heart"
    )
    return (
        f"In the epoch that was kept, it was right for {percent(epoch['accuracy'])} of the "
        f"training videos but {percent(epoch['val_accuracy'])} of the validation videos: {why}. "
        "More videos, and more groups, help most."
    )


def unlike_validation(evaluation: Evaluation) -> str | None:
    scores, validation = evaluation.scores, float(evaluation.kept_epoch["val_accuracy"])
    low, high, gap = (
        scores["accuracy_low"], scores["accuracy_high"], validation - scores["accuracy"],
    )  # fmt: skip
    if low is None or low <= validation <= high or abs(gap) < LARGE_GAP:
        return None
    if gap > 0:
        return (
            f"The test accuracy lies well below that on validation ({percent(validation)}), which "
            "chose the epoch: the test videos differ, or the validation videos are too few."
        )
    return (
        f"The test accuracy lies well above that on validation ({percent(validation)}), although "
        "validation chose the epoch: the test is easier, or more like the training videos, than "
        "new videos will be, or the validation videos are too few."
    )


def first_epoch_best(evaluation: Evaluation) -> str | None:
    if evaluation.kept != evaluation.history["epoch"].iloc[0] or len(evaluation.history) < 2:
        return None
    return (
        "The first epoch was the best: what it learned after that did not carry over to the "
        "validation videos. A smaller train.learning_rate, or more groups, may help."
    )


def stopped_early(evaluation: Evaluation) -> str | None:
    """The rate falls to nothing, so the last epoch often is the best: it matters by how much."""
    history = evaluation.history
    earlier = history["val_loss"].iloc[: -math.ceil(len(history) / 5)]
    if evaluation.kept != int(history["epoch"].iloc[-1]) or earlier.empty:
        return None
    if history["val_loss"].iloc[-1] > _STILL_FALLING * earlier.min():
        return None
    return (
        "The last epoch was the best: training ended while the model was still improving. Raise "
        "train.epochs."
    )
