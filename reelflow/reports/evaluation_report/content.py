"""What a report is made of, as values, and how its numbers are worded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from reelflow.evaluation.sureness import Sureness
from reelflow.evaluation.verdict import Verdict


@dataclass(frozen=True)
class Evaluation:
    """Everything that the report shows but the frames.

    Attributes:
        labels: the K class names, in the order of the model's outputs.
        scores: what `reelflow.evaluation.metrics.evaluate` returned.
        verdict: what `reelflow.evaluation.verdict.judge` made of the scores.
        predictions: a row a test video: hash, path, label, group, predicted, confidence and
            `p_<label>` for each label.
        roc, pr: from `reelflow.evaluation.curves.curves`.
        baseline: the most common class of the training videos.
        confidence: of the intervals in `scores`, e.g. 0.95.
        history: a row an epoch: epoch, loss, accuracy, val_loss, val_accuracy.
        best: of the epoch whose weights became the model: best_epoch, accuracy, val_accuracy.
        splits: by name in `SPLITS`, a row a video: hash, label, group (what is kept together,
            near-duplicates included) and known_group (what the manifest knows).
        manifest: a row a usable video: frames, intact, and the split that the data set prescribes.
        params: by section, the values that made the model and this evaluation.
        provenance: versions and hashes behind this report.
        examples: how many right and how many wrong answers to show.
        candidates: where something was chosen by folds, a row for each: features, chosen, and as
            far as there is one balanced_accuracy, standard_error, share, not_tried. Else empty.
        sureness: how far the confidences can be relied on; None: not measured.
        more_groups: what to do where the test has few groups, a sentence; or empty.
        alarms: of `reelflow.evaluation.alarms.raised`: its sentence by name, or None.
        slices: of `reelflow.evaluation.slices.measure`, or nothing.
        suspects: of `reelflow.evaluation.label_errors.suspects`, as `predictions`; None: not asked.
        curve: of `reelflow.training.learning_curve`, as the card has it; None: there is none.
        unlike: the share of the test videos that are unlike the training; None: not measured.
        places: of `reelflow.training.clip_map`: hash, path, label, x, y of each; None: no map.
        left_out: `hash` and `p_<label>` of learned videos, by a model that had not seen them.
    """

    labels: list[str]
    scores: dict[str, Any]
    verdict: Verdict
    predictions: pd.DataFrame
    roc: pd.DataFrame
    pr: pd.DataFrame
    baseline: str
    confidence: float
    history: pd.DataFrame
    best: Mapping[str, Any]
    splits: dict[str, pd.DataFrame]
    manifest: pd.DataFrame
    params: dict[str, dict[str, Any]]
    provenance: dict[str, str]
    examples: int = 4
    candidates: Sequence[Mapping[str, Any]] = ()
    sureness: Sureness | None = None
    more_groups: str = ""
    alarms: Mapping[str, str | None] = field(default_factory=dict)
    slices: Mapping[str, Any] | None = None
    curve: Mapping[str, Any] | None = None
    unlike: float | None = None
    places: pd.DataFrame | None = None
    left_out: pd.DataFrame = field(default_factory=pd.DataFrame)
    suspects: pd.DataFrame | None = None

    @property
    def in_one_step(self) -> bool:
        """Whether the model is a head on embeddings, in closed form."""
        return bool(self.candidates) and len(self.history) == 1

    def tested(self) -> dict[str, dict[str, Any]]:
        """The figures of the classes that have a test video, the weakest recall first."""
        classes = {n: s for n, s in self.scores["per_class"].items() if s["support"]}
        return dict(sorted(classes.items(), key=lambda item: (item[1]["recall"], item[0])))
