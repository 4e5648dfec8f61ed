"""What a report is made of, as values, and how its numbers are worded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Evaluation:
    """Everything that the report shows but the frames.

    Attributes:
        labels: the K class names, in the order of the model's outputs.
        scores: what `reelflow.metrics.evaluate` returned.
        predictions: a row a test video: hash, path, label, group, predicted, confidence and
            `p_<label>` a label.
        roc, pr: as in `reelflow.curves.Curves`.
        baseline: the most common class of the training videos.
        confidence: of the intervals in `scores`, e.g. 0.95.
        history: a row an epoch: epoch, loss, accuracy, val_loss, val_accuracy.
        kept: the epoch whose weights became the model.
        splits: by name in `SPLITS`, a row a video: hash, label, group.
        manifest: a row a usable video: container, codec, width, height, fps, frames, duration.
        quarantine: a row a file that was set aside: path, code, reason, remedy.
        params: by section, the values that made the model and this evaluation.
        provenance: name and value of the versions and hashes behind this report.
        examples: how many right and how many wrong answers to show.
    """

    labels: list[str]
    scores: dict[str, Any]
    predictions: pd.DataFrame
    roc: pd.DataFrame
    pr: pd.DataFrame
    baseline: str
    confidence: float
    history: pd.DataFrame
    kept: int
    splits: dict[str, pd.DataFrame]
    manifest: pd.DataFrame
    quarantine: pd.DataFrame
    params: dict[str, dict[str, Any]]
    provenance: dict[str, str]
    examples: int = 4

    @property
    def unusable(self) -> pd.DataFrame:
        """The files that were set aside as bad; a duplicate is not bad."""
        return self.quarantine[self.quarantine["code"] != "duplicate"]

    @property
    def kept_epoch(self) -> pd.Series[Any]:
        """The row of `history` whose weights became the model."""
        return self.history[self.history["epoch"] == self.kept].iloc[0]

    def tested(self) -> dict[str, dict[str, Any]]:
        """The figures of the classes that have a test video, the weakest recall first."""
        classes = {n: s for n, s in self.scores["per_class"].items() if s["support"]}
        return dict(sorted(classes.items(), key=lambda item: (item[1]["recall"], item[0])))


def percent(share: float | None) -> str:
    """A share for people: `94%`. Only all is called 100%, and only none 0%."""
    if share is None:
        return "–"
    if 0.9995 <= share < 1:
        return ">99.9%"
    if 0 < share < 0.0005:
        return "<0.1%"
    digits = 1 if 0.995 <= share < 1 or 0 < share < 0.005 else 0
    return f"{100 * share:.{digits}f}%"


def interval(scores: dict[str, Any], name: str) -> str:
    """An interval for people: `85–98%`, or a dash where there is none."""
    low, high = (scores.get(f"{name}{end}") for end in ("_low", "_high"))
    if low is None or high is None:
        return "–"
    return f"{percent(low).removesuffix('%')}–{percent(high)}"


def visible(text: Any) -> Any:
    """Text with its invisible characters written out, e.g. `\\u202e`; anything else unchanged.

    Control and format characters in a file name can reorder a line, or end it: `gpj.mp4` behind a
    right-to-left override reads as `4pm.jpg`.
    """
    if type(text) is not str or text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n " else c.encode("unicode_escape").decode() for c in text
    )


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 video`, `2 videos`, `2,000 videos`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def quoted(names: Iterable[str], most: int = 5) -> str:
    """`“a”, “b” and “c”`, or `“a”, “b” and 7 others`."""
    shown = [f"“{name}”" for name in names]
    if len(shown) > most:
        shown = [*shown[: most - 1], f"{len(shown) - most + 1} others"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
