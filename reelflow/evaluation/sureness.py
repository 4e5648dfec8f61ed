"""How far the confidences of a model can be relied on: calibration and abstention, in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.evaluation import abstention, calibration
from reelflow.evaluation.intervals import Bootstrap


@dataclass(frozen=True)
class Sureness:
    """What the test shows of the confidences.

    Attributes:
        calibration: of `reelflow.evaluation.calibration.measure`.
        abstention: of `reelflow.evaluation.abstention.measure`.
        reliability: rows of the reliability diagram, `temperature` being `without` or `with`.
        coverage: the curve of coverage and accuracy.
    """

    calibration: dict[str, Any]
    abstention: dict[str, Any]
    reliability: pd.DataFrame
    coverage: pd.DataFrame


def measure(
    test: pd.DataFrame,
    before: NDArray[Any],
    after: NDArray[Any],
    labels: Sequence[str],
    temperature: float,
    left_out: pd.DataFrame,
    bootstrap: Bootstrap,
) -> Sureness:
    """Judge the confidences on the test.

    Args:
        test: a row a video: `target`, `group`.
        before, after: probabilities (N, K) without and with the temperature.
        labels: the K class names.
        temperature: that of the model.
        left_out: answers to other videos that the model did not learn from, by which a threshold is
            chosen: `target` and `p_<label>`.
        bootstrap: how intervals are made.
    """
    targets = test["target"].to_numpy(np.int64)
    right = after.argmax(axis=1) == targets
    others = left_out[[f"p_{label}" for label in labels]].to_numpy(float)
    least = None
    if len(others):
        known = others.argmax(axis=1) == left_out["target"].to_numpy(np.int64)
        least = abstention.threshold(others.max(axis=1), known)
    diagrams = [
        calibration.reliability(found.max(axis=1), right).assign(temperature=name)
        for name, found in (("without", before), ("with", after))
    ]
    return Sureness(
        calibration.measure(targets, before, after, temperature, bootstrap.seed),
        abstention.measure(targets, after, list(test["group"]), bootstrap, least),
        pd.concat(diagrams, ignore_index=True),
        abstention.curve(after.max(axis=1), right),
    )
