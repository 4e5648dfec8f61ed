"""What if the model may say "I do not know"? Accuracy of the answers that it is surest of.

*Coverage* is the share of videos that are answered, the surest first; *risk* is the share of those
answers that are wrong (El-Yaniv and Wiener, "On the Foundations of Noise-free Selective
Classification", JMLR 2010; Geifman and El-Yaniv, NeurIPS 2017). A useful confidence makes the
accuracy fall from left to right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.evaluation.answers import Answers, Ints, group_codes
from reelflow.evaluation.intervals import Bootstrap
from reelflow.evaluation.metrics import DIGITS, accuracy, number, with_ends

COVERAGES = (1.0, 0.9, 0.75, 0.5, 0.25)
WANTED = 0.95
# A threshold that rests on fewer answers is luck.
LEAST_ANSWERS = 20


def curve(confidence: NDArray[Any], right: NDArray[np.bool_]) -> pd.DataFrame:
    """A row a number of answers at which the confidence falls: `coverage`, `accuracy`,
    `confidence` (the least of those answered). Answers of equal confidence come together.

    Args:
        confidence: float (N,).
        right: bool (N,).
    """
    order = np.argsort(-np.asarray(confidence), kind="stable")
    sure = np.asarray(confidence, dtype=float)[order]
    last = np.append(np.diff(sure) != 0, True)
    answered = np.arange(1, len(sure) + 1)
    shares = np.cumsum(np.asarray(right)[order]) / answered
    table = pd.DataFrame({"coverage": answered / len(sure), "accuracy": shares, "confidence": sure})
    return table[last].round(DIGITS).reset_index(drop=True)


def threshold(
    confidence: NDArray[Any], right: NDArray[np.bool_], wanted: float = WANTED
) -> float | None:
    """The least confidence from which so many answers are right, and at least `LEAST_ANSWERS` of
    them are given; None where there is none.

    Choose it on videos that are not those by which it is judged.
    """
    table = curve(confidence, right)
    enough = table["coverage"] * len(confidence) >= LEAST_ANSWERS - 0.5
    found = table[enough & (table["accuracy"] >= wanted)]
    return float(found["confidence"].iloc[-1]) if len(found) else None


def measure(
    targets: Ints,
    probabilities: NDArray[Any],
    groups: Sequence[Any],
    bootstrap: Bootstrap,
    least: float | None = None,
) -> dict[str, Any]:
    """Accuracy by coverage, and from a given confidence on, as JSON values.

    Args:
        targets, probabilities, groups, bootstrap: as `reelflow.evaluation.metrics.evaluate` takes
            them.
        least: a confidence from which answers are given, chosen on other videos.

    Returns:
        `by_coverage`, a row of `COVERAGES` each: coverage, confidence, accuracy, and the ends of
        its interval, `accuracy_low` and `accuracy_high`; and `chosen`, the same for `least`, or
        None where it is none or nothing is answered.
    """
    sure = probabilities.max(axis=1)
    table = curve(sure, probabilities.argmax(axis=1) == targets)

    def from_on(confidence: float) -> dict[str, Any]:
        kept = np.flatnonzero(sure.round(DIGITS) >= round(confidence, DIGITS))
        if not len(kept):
            return {"coverage": 0.0, "confidence": confidence}
        codes = group_codes([groups[at] for at in kept.tolist()])
        (figure,) = with_ends(
            Answers(targets[kept], probabilities[kept], codes), bootstrap, [accuracy]
        )
        share, low, high = map(number, figure.values)
        return {
            "coverage": round(len(kept) / len(sure), DIGITS),
            "confidence": round(confidence, DIGITS),
            "accuracy": share,
            "accuracy_low": low,
            "accuracy_high": high,
        }

    rows = []
    for coverage in COVERAGES:
        # Nearly so many: at the end of equal confidences.
        at = int((table["coverage"] - coverage).abs().argmin())
        rows.append(from_on(float(table["confidence"].iloc[at])))
    distinct = {row["coverage"]: row for row in rows}
    return {
        "by_coverage": list(distinct.values()),
        "chosen": None if least is None else from_on(least),
    }
