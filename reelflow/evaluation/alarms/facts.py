"""What alarms judge by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from reelflow.evaluation.answers import Ints
from reelflow.evaluation.verdict import Verdict


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
        backgrounds: float (M, D), what `hidden_groups.background` sees of each video; None where
            groups are known.
        targets: int (M,), the class of each of these.
        features: float (M, F), of each, by which a linear model is fitted.
        kind: what these features are, in words.
    """

    scores: Mapping[str, Any]
    verdict: Verdict
    shortcuts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    test: pd.DataFrame = field(default_factory=pd.DataFrame)
    learned: pd.DataFrame = field(default_factory=pd.DataFrame)
    manifest: pd.DataFrame = field(default_factory=pd.DataFrame)
    right: NDArray[Any] | None = None
    frozen: NDArray[Any] | None = None
    candidates: Sequence[Mapping[str, Any]] = ()
    backgrounds: NDArray[Any] | None = None
    targets: Ints | None = None
    features: NDArray[Any] | None = None
    kind: str = ""
