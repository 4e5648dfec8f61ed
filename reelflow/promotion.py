"""Does a new model become the champion? A rule, a comparison on the same videos, and a reason.

The champion answers the present test videos itself: it is loaded from the registry with its own
code, and is given the files, so that it makes its own clips. Its recorded figures would be of
other videos. The rules where the two cannot be measured alike:

- a video that the champion cannot use counts as answered wrongly, and so does an answer with a
  label that the test does not know: whoever asks today wants today's labels;
- equal is enough, since the new model has seen the newer data;
- a champion that cannot be loaded stays, because nothing was shown to be as good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reelflow.metrics import DIGITS
from reelflow.predicting import Answer, ModelError, asking
from reelflow.progress import track

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

METRICS = ("accuracy", "balanced_accuracy", "macro_f1")


@dataclass(frozen=True)
class Rule:
    """Attributes: `metric`, one of `METRICS`; `minimum`, what a champion reaches in it."""

    metric: str
    minimum: float


@dataclass(frozen=True)
class Comparison:
    """The champion on the present test videos.

    Attributes:
        version: of the champion.
        value: of the rule's metric; None if the champion could not be loaded.
        remark: what must be known about the value, in sentences, or why there is none.
    """

    version: str
    value: float | None
    remark: str = ""


@dataclass(frozen=True)
class Decision:
    """Attributes: `champion`, whether the model becomes it; `reason`, in a sentence or two."""

    champion: bool
    reason: str


def score(metric: str, truth: Sequence[str], answers: Sequence[str | None]) -> float:
    """One of `METRICS` of label texts, rounded as in `metrics/evaluate.json`; None is wrong.

    Averages run over the classes of the test, as in `reelflow.metrics`.
    """
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    given = [answer or "" for answer in answers]
    if metric == "accuracy":
        return round(float(accuracy_score(truth, given)), DIGITS)
    _, recall, f1, _ = precision_recall_fscore_support(
        truth, given, labels=sorted(set(truth)), zero_division=0
    )
    return round(float({"balanced_accuracy": recall, "macro_f1": f1}[metric].mean()), DIGITS)


def decide(rule: Rule, value: float, champion: Callable[[], Comparison | None]) -> Decision:
    """Decide about a model that has `value` on the test videos.

    Args:
        champion: measures the present champion on the same videos, or returns None if there is
            none; only called if the model reaches the minimum.
    """
    reached = f"{rule.metric} {value:g}"
    if value < rule.minimum:
        return Decision(
            champion=False, reason=f"{reached} is below the minimum of {rule.minimum:g}."
        )
    reached += f" reaches the minimum of {rule.minimum:g}"
    present = champion()
    if present is None:
        return Decision(champion=True, reason=f"{reached}, and there was no champion.")
    who = f"the champion, version {present.version},"
    if present.value is None:
        return Decision(champion=False, reason=f"{reached}, but {who} stays: {present.remark}")
    better = value >= present.value
    link = "and" if better else "but"
    said = f"{reached}, {link} {who} has {present.value:g} on the same videos. {present.remark}"
    return Decision(champion=better, reason=said.strip())


def measure(
    metric: str,
    version: ModelVersion,
    address: str,
    videos: Sequence[tuple[Path, str]],
    labels: Sequence[str],
) -> Comparison:
    """Let a registered version answer videos and measure it.

    Args:
        metric: one of `METRICS`.
        version: of a model registered at `address`.
        videos: files and their true labels.
        labels: all labels of today.
    """
    number = str(version.version)
    try:
        with asking(f"models:/{version.name}/{number}", address) as asked:
            answers = [
                asked.answer(path) for path, _ in track(videos, len(videos), "asking the champion")
            ]
    except ModelError as error:
        return Comparison(number, None, f"it cannot be loaded. {' '.join(str(error).split())}")
    truth = [label for _, label in videos]
    value = score(metric, truth, [answer.label for answer in answers])
    return Comparison(number, value, _remark(answers, set(asked.labels), set(labels)))


def _remark(answers: Sequence[Answer], known: set[str], labels: set[str]) -> str:
    remarks = []
    if missing := sorted(labels - known):
        remarks.append(f"It does not know {', '.join(missing)}, which counts against it.")
    if gone := sorted(known - labels):
        remarks.append(f"It knows {', '.join(gone)}, which are no labels now.")
    if failed := sum(answer.error is not None for answer in answers):
        remarks.append(f"It could not use {failed} of the videos, which counts against it.")
    return " ".join(remarks)
