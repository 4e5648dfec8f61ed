"""Does a new model become the champion? A rule, a comparison on the same videos, and a reason.

First the model must be good enough by itself: shown to beat a constant answer
(`reelflow.evaluation.verdict`), and no worse than a minimum. Then the champion answers the present
test videos: it is loaded from the registry with its own code, and is given the files, so that it
makes its own clips. Its recorded figures would be of other videos. The rules where the two cannot
be measured in the same way:

- a test video that the champion was trained on is left out, and so is what is kept together with
  one; with too few left, or without a record of what it was trained on, the champion stays;
- a video that the champion cannot use counts as answered wrongly, and so does an answer with a
  label that the test does not know: today's users want today's labels;
- equal is enough, since the new model has seen the newer data;
- a champion that cannot be loaded stays, because nothing was shown to be as good.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from reelflow.base.progress import track
from reelflow.evaluation.answers import Answers
from reelflow.evaluation.metrics import values
from reelflow.evaluation.verdict import Verdict
from reelflow.params.register import RegisterParams
from reelflow.registry.ask_model import Answer, ModelError, asking

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class Comparison:
    """The champion beside the new model, on the same videos.

    Attributes:
        version: of the champion.
        value: its figure in the metric that decides; None if there is none.
        own: the new model's figure on these videos.
        remark: what must be known about the comparison, in sentences, or why there is none.
    """

    version: str
    value: float | None
    own: float = 0.0
    remark: str = ""


@dataclass(frozen=True)
class Decision:
    """Whether the model becomes the champion, and why.

    Attributes:
        champion: whether it does.
        alone: what it shows by itself, in sentences.
        beside: how it compares, in sentences; empty if that was not asked.
    """

    champion: bool
    alone: str
    beside: str = ""

    @property
    def reason(self) -> str:
        """Both, as the registry shows it."""
        return f"{self.alone} {self.beside}".strip()


def score(metric: str, truth: Sequence[str], answers: Sequence[str | None]) -> float:
    """A metric of label texts, rounded as in the figures of `evaluate`; None is a wrong answer.

    Averages run over the classes of the test, as in `reelflow.evaluation.metrics`.
    """
    given = [answer or "" for answer in answers]
    codes, labels = pd.factorize(pd.Series([*truth, *given]))
    targets, predicted = codes[: len(truth)], codes[len(truth) :]
    found = values(Answers(targets, np.eye(len(labels))[predicted], np.arange(len(truth))))[metric]
    assert found is not None
    return found


def alone(asked: RegisterParams, value: float, verdict: Verdict) -> Decision:
    """Whether a model of this value and verdict may become the champion at all."""
    reached, proven = value >= asked.min_metric, asked.rule == "proven"
    does = "reaches" if reached else "is below"
    reason = (
        f"{verdict.sentence} {asked.metric} {value:g} {does} the minimum of {asked.min_metric:g}"
    )
    if not proven:
        reason += ", which is all that register.rule asks for"
    return Decision(reached and (verdict.proven or not proven), f"{reason}.")


def decide(
    asked: RegisterParams, value: float, verdict: Verdict, champion: Callable[[], Comparison | None]
) -> Decision:
    """Decide about a model that has `value` on the test videos.

    Args:
        asked: what `register` asks of a champion.
        champion: compares it with the present champion, or returns None if there is none; only
            called if the model is good enough by itself.
    """
    found = alone(asked, value, verdict)
    if not found.champion:
        return found
    present = champion()
    if present is None:
        return Decision(True, found.alone, "There was no champion.")
    if present.value is None:
        beside = (
            f"The champion, version {present.version}, stays: {present.remark} Give this version "
            "the alias `champion` by hand in the MLflow UI if it is the better one."
        )
        return Decision(False, found.alone, beside)
    beside = (
        f"The champion, version {present.version}, has {present.value:g} on the same videos, this "
        f"one {present.own:g}. {present.remark}"
    )
    return Decision(present.own >= present.value, found.alone, beside.strip())


def confirm(found: Decision, beside: str) -> Decision:
    """The decision about what is the champion already: it stays, by today's rule or not.

    Args:
        found: what it shows by itself (`alone`).
        beside: how it once compared, if that made it the champion; else nothing.
    """
    if not found.champion:
        beside = (
            "It was made the champion by another rule or figure, and stays it until another is."
        )
    return Decision(True, found.alone, beside or "It is the champion already.")


def unseen(test: pd.DataFrame, manifest: pd.DataFrame, learned: pd.DataFrame) -> pd.Series[bool]:
    """Which test videos are new to a model.

    Args:
        test: hash, and group: what the video is kept together with (None if nothing is).
        manifest: hash, group and alike (set of near-duplicates) of all videos of today.
        learned: hash, and group as in `test`, of the videos that the model was trained on, or
            chosen by.

    Returns:
        False for a video that the model has learned, for one of its groups, for one of its
        near-duplicates, and for what is kept together with any of these. A group's name counts
        only if one of the learned videos is there today: else they are another data set's.
    """
    known = manifest["hash"].isin(learned["hash"])
    sets = set(manifest.loc[known, "alike"].dropna())
    groups: set[Any] = set(manifest.loc[known, "group"].dropna())
    if known.any():
        # Joined groups are called by the first and how many more.
        groups |= {re.sub(r" \+ \d+$", "", name) for name in learned["group"].dropna()}
    today = manifest.set_index("hash").reindex(test["hash"]).reset_index()
    similar = today["alike"].isin(sets) | today["group"].isin(groups)
    seen = test["hash"].isin(learned["hash"]) | similar.to_numpy()
    return ~(seen | test["group"].isin(set(test.loc[seen, "group"].dropna())))


def measure(
    metric: str, version: ModelVersion, videos: pd.DataFrame, labels: Sequence[str]
) -> Comparison:
    """Let a registered version answer videos and measure it.

    Args:
        metric: one of `reelflow.evaluation.deciding_metric.deciding`.
        version: of a model in the MLflow of the environment.
        videos: a row a video that is new to it: its `file`, its true `label`, and what the new
            model `predicted`.
        labels: all labels of today.
    """
    number = str(version.version)
    try:
        with asking(f"models:/{version.name}/{number}") as asked:
            files = track(videos["file"], len(videos), "asking the champion")
            answers = [asked.answer(file) for file in files]
    except ModelError as error:
        why = f"it cannot be loaded. {' '.join(str(error).split())}"
        return Comparison(number, None, remark=why)
    truth = list(videos["label"])
    return Comparison(
        number,
        score(metric, truth, [answer.label for answer in answers]),
        score(metric, truth, list(videos["predicted"])),
        _remark(answers, set(asked.labels), set(labels)),
    )


def _remark(answers: Sequence[Answer], known: set[str], labels: set[str]) -> str:
    remarks = []
    if missing := sorted(labels - known):
        remarks.append(f"It does not know {', '.join(missing)}, which counts against it.")
    if gone := sorted(known - labels):
        remarks.append(f"It knows {', '.join(gone)}, which are no labels now.")
    if failed := sum(answer.error is not None for answer in answers):
        remarks.append(f"It could not use {failed} of the videos, which counts against it.")
    return " ".join(remarks)
