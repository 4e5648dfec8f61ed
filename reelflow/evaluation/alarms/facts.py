"""What alarms judge by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from reelflow.evaluation.answers import Ints
from reelflow.evaluation.verdict import Verdict


@dataclass(frozen=True)
class Looks:
    """What `hidden_groups.looks_of` sees of M videos.

    Attributes:
        backgrounds: float (M, D), of `hidden_groups.background`.
        targets: int (M,), their classes.
        features: float (M, F), to which a linear model is fitted.
        kind: what these features are, in words.
    """

    backgrounds: NDArray[Any]
    targets: Ints
    features: NDArray[Any]
    kind: str


@dataclass(frozen=True)
class Facts:
    """All that is known of a test.

    Attributes:
        scores: of `reelflow.evaluation.metrics.evaluate`.
        verdict: of `reelflow.evaluation.verdict.judge`.
        shortcuts: balanced accuracies of a model without pictures, see `.shortcuts`.
        test: a row a test video: `hash`, `group`.
        learned: a row a training or validation video: `hash`.
        manifest: a row a video: `hash`, `path`, `alike`, the set of near-duplicates, if any.
        right: bool (N,), whether each test video was answered rightly.
        frozen: bool (N,), the same where the model saw its middle frame alone; None: not asked.
        candidates: what the folds gave, see `Evaluation` of the report.
        looks: of the videos; None where groups are known.
    """

    scores: Mapping[str, Any]
    verdict: Verdict
    shortcuts: Mapping[str, Mapping[str, Any]]
    test: pd.DataFrame
    learned: pd.DataFrame
    manifest: pd.DataFrame
    right: NDArray[Any]
    frozen: NDArray[Any] | None
    candidates: Sequence[Mapping[str, Any]]
    looks: Looks | None
