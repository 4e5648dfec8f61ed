"""Evaluations as the report is given them, of answers and targets that a test chooses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reelflow.evaluation import curves, metrics
from reelflow.evaluation.verdict import Floor, judge
from reelflow.reports.evaluation_report import Evaluation
from reelflow.store.clip_spec import Clip

MIXED = ([0, 0, 1, 1, 0, 1] * 4, [0, 0, 1, 1, 1, 1] * 4)


def evaluation(
    predicted: list[int],
    targets: list[int],
    *,
    groups: list[str | None] | None = None,
    labels: tuple[str, ...] = ("left", "right"),
    sure: float = 0.8,
    test: str = "",
    **changes: Any,
) -> Evaluation:
    """An evaluation in which answers are given with equal confidence, falling slowly by row."""
    videos, classes = len(targets), len(labels)
    groups = groups if groups is not None else [f"g{i}" for i in range(videos)]
    scores = np.full((videos, classes), (1 - sure) / (classes - 1))
    scores[np.arange(videos), predicted] = sure
    if videos:
        scores[np.arange(videos), predicted] -= np.arange(videos) / videos / 100
    tested = pd.DataFrame(
        {
            "hash": [f"{i:064x}" for i in range(videos)],
            "path": [f"{labels[t]}/clip_{i:02}.mp4" for i, t in enumerate(targets)],
            "label": [labels[t] for t in targets],
            "group": pd.Series(groups, dtype=object),
            "known_group": pd.Series(groups, dtype=object),
        }
    )
    predictions = tested.assign(
        predicted=[labels[p] for p in predicted],
        confidence=scores.max(axis=1),
        **{f"p_{label}": scores[:, i] for i, label in enumerate(labels)},
    )
    roc, pr = curves.curves(np.array(targets), scores, labels)
    figures = metrics.evaluate(np.array(targets), scores, groups, labels, majority=0)
    learned = pd.DataFrame(
        {
            "hash": ["t", "u"],
            "label": [labels[0], labels[-1]],
            "group": ["s1", "s2"],
            "known_group": ["s1", "s2"],
        }
    )
    values: dict[str, Any] = {
        "labels": list(labels),
        "scores": figures,
        "verdict": judge(figures, "balanced_accuracy", labels[0], 0.95, Floor(10, 5), test),
        "predictions": predictions,
        "roc": roc,
        "pr": pr,
        "baseline": labels[0],
        "confidence": 0.95,
        "history": history([0.9, 0.5, 0.6]),
        "splits": {
            "train": learned,
            "validation": learned.assign(group="v", known_group="v"),
            "test": tested,
        },
        "manifest": manifest(20),
        "params": {"train": {"epochs": 3}, "evaluate": {"bootstrap": 1000}},
        "provenance": {"model hash": "ab" * 32, "Python": "3.11.2"},
        "examples": 3,
    }
    values |= changes
    kept = values["history"].loc[lambda of: of["val_loss"].idxmin()].to_dict()
    return Evaluation(**{"best": {**kept, "best_epoch": int(kept["epoch"])}, **values})


def history(val_loss: list[float], accuracy: float = 0.8, val_accuracy: float = 0.8) -> Any:
    return pd.DataFrame(
        {
            "epoch": range(1, len(val_loss) + 1),
            "loss": val_loss,
            "accuracy": accuracy,
            "val_loss": val_loss,
            "val_accuracy": val_accuracy,
        }
    )


def manifest(videos: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "frames": [50] * videos,
            "intact": 50,
            "split": pd.Series([None] * videos, dtype=object),
        }
    )


def quarantine(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"path": path, "code": code, "reason": f"It is {code}.", "remedy": "Copy it again."}
            for path, code in rows
        ],
        columns=["path", "code", "reason", "remedy"],
    )


def clip(video: str) -> Clip:
    frames = np.random.default_rng(int(video, 16)).integers(256, size=(12, 32, 40, 3))
    return Clip(frames.astype(np.uint8), np.arange(12) / 4)


def said(sentences: list[str], words: str) -> bool:
    return any(words in sentence for sentence in sentences)
