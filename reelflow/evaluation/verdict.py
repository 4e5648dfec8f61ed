"""Has the model learned anything? One verdict for the report, the end of a run and the registry.

`judge` takes the figures of the stage `evaluate`, which keeps the verdict with them. A model has
learned something if the low end of the interval of the deciding metric lies above what the best
constant answer reaches, on a test that is large enough.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reelflow.base.words import count, percent


@dataclass(frozen=True)
class Floor:
    """The least `videos` and `groups` with which a test shows anything."""

    videos: int
    groups: int

    def is_met(self, videos: int, groups: int) -> bool:
        """Whether a test of so many videos and groups is large enough."""
        return videos >= self.videos and groups >= self.groups


@dataclass(frozen=True)
class Verdict:
    """What the test shows of a model.

    Attributes:
        code: `better` or `worse` than a constant answer by the whole interval, `unproven` if the
            interval includes it, `too_few` if the test is below the floor.
        metric: the figure that was judged.
        headline: the verdict in a line, for a person.
        sentence: the figures that it rests on.
    """

    code: Literal["better", "unproven", "worse", "too_few"]
    metric: str
    headline: str
    sentence: str

    @property
    def proven(self) -> bool:
        """Whether the model was shown to be better than a constant answer."""
        return self.code == "better"


def in_words(metric: str) -> str:
    """The name of a metric for people: `macro ROC AUC`."""
    return metric.replace("_", " ").replace("f1", "F1").replace("roc auc", "ROC AUC")


def test_of(official: Collection[str], prescribed: float) -> str:
    """Whose test it is, in words; empty where no part of it comes from an official split.

    Args:
        official: the splits that the data set prescribes.
        prescribed: the share of the test videos that it puts into the test.
    """
    if prescribed:
        return f"the official test videos{'' if prescribed == 1 else ' and others'}"
    if "test" not in official and "train" in official:
        return "test videos drawn from the official training part"
    return ""


def judge(
    scores: Mapping[str, Any],
    metric: str,
    baseline: str,
    confidence: float,
    floor: Floor,
    test: str = "",
) -> Verdict:
    """The verdict on the figures of `reelflow.evaluation.metrics.evaluate`.

    Args:
        metric: a figure by which runs are compared.
        baseline: the label of the constant answer.
        confidence: of the intervals in `scores`.
        floor: what the test must have.
        test: whose test it is, as `test_of` has it.
    """
    on = f", on {test}" if test else ""
    name = in_words(metric)
    videos, groups, low, high, least = (
        scores[key]
        for key in ("videos", "groups", f"{metric}_low", f"{metric}_high", f"baseline_{metric}")
    )
    # Where no group is known each video is one, and a reader would not understand the word group.
    grouped = f" of {count(groups, 'group')}" if groups != videos else ""
    tested = f"{count(videos, 'test video')}{grouped}"
    if low is None or not floor.is_met(videos, groups):
        return Verdict(
            "too_few",
            metric,
            f"Too few test videos to say how good this model is{f' ({test})' if test else ''}",
            f"The test has {tested}. It takes {count(floor.videos, 'video')} of "
            f"{count(floor.groups, 'group')} to say how good a model is: add videos of other "
            "sources, or raise preprocess.test_share.",
        )
    figures = (
        f"{name[0].upper()}{name[1:]} {scores[metric]:.2f} on {tested} "
        f"({confidence:.0%} interval {low:.2f} to {high:.2f})"
    )
    code: Literal["better", "worse", "unproven"]
    if low > least:
        code, how = "better", "beats"
        headline = f"Right for {percent(scores['accuracy'])} of "
        headline += test or "the videos that it had never seen"
    elif high < least:
        code, how = "worse", "is below"
        headline = f"Worse than always answering “{baseline}”{on}"
    else:
        code, how = "unproven", "is not shown to beat"
        headline = f"Not shown to beat always answering “{baseline}”{on}"
    sentence = f"{figures} {how} the {least:.2f} of a constant answer."
    return Verdict(code, metric, headline, sentence)
