"""What the stages before `register` leave behind, small: written by hand, no stage is run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reelflow.evaluation.metrics import evaluate
from reelflow.evaluation.verdict import Verdict
from tests.conftest import MakeVideo

LABELS = ["jump", "sit é", "walk"]
CLIP = {
    "frames": 4,
    "height": 32,
    "width": 32,
    "fit": "crop",
    "scaler": "area",
    "sampler": "uniform",
}
DATA_HASH = "d" * 64


VERDICT = Verdict(
    "better", "balanced_accuracy", "Right for 75%", "It beats the 0.33 of a constant answer."
)


def write_outputs(folder: Path, model: bytes = b"a model", **scores: Any) -> None:
    """Everything that `register` reads, except the raw videos, for a test of six videos.

    Args:
        model: the bytes of `models/model.keras`, which `register` copies and does not read.
        scores: replace figures of `metrics/evaluate.json`.
    """
    paths = [f"{label}/{i}.mp4" for label in LABELS for i in range(2)]
    labels = [path.split("/")[0] for path in paths]
    table = pd.DataFrame(
        {
            "hash": [f"{i:064x}" for i in range(6)],
            "path": paths,
            "label": labels,
            "target": [LABELS.index(label) for label in labels],
            "group": pd.Series([None, "g1", "g1", "g2", "g3", None], dtype="str"),
        }
    )
    splits = {
        name: table.assign(
            hash=[f"{i + 6 * n:064x}" for i in range(6)],
            path=table["path"] if not n else name + table["path"].str.replace("/", "_"),
            group=table["group"] + name * (n > 0),
        )
        for n, name in enumerate(("test", "validation", "train"))
    }
    manifest = pd.concat(splits.values(), ignore_index=True).drop(columns="target")
    texts = pd.Series([None] * len(manifest), dtype="str")
    manifest = manifest.assign(split=texts, alike=texts, bytes=1000, duration=1.5)
    _write(folder / "data/manifest.parquet", manifest.assign(pts=[[0, 512, 1024]] * len(manifest)))
    for name, rows in splits.items():
        _write(folder / f"data/prepared/{name}.csv", rows)
    _write(folder / "data/prepared/meta.json", {"labels": LABELS, "data_hash": DATA_HASH})
    _write(folder / "models/model.keras", model)
    card = {
        "labels": LABELS,
        "clip": CLIP,
        "network": "cnn",
        "data_hash": DATA_HASH,
        "weights_hash": "w" * 64,
    }
    _write(folder / "models/model.json", {**card, "params": {"epochs": 2}})
    epochs = {"epoch": [1, 2], "loss": [1.5, 0.5], "val_loss": [1.25, 0.75]}
    _write(folder / "plots/train.csv", pd.DataFrame(epochs))
    figures = {"accuracy": 0.75, "balanced_accuracy": 0.75, "macro_f1": 0.7}
    probabilities = np.full((6, 3), 1 / 3, np.float32)
    targets = table["target"].to_numpy()
    measured = evaluate(targets, probabilities, list(table["group"]), LABELS, majority=0)
    measured["interval_confidence"] = 0.95
    cautions = ["The test has only 4 groups.", "“<b>[x](y)” is rare."]
    told = {**measured, **figures, "verdict": asdict(VERDICT), "cautions": cautions}
    _write(folder / "metrics/evaluate.json", {**told, **scores})
    data = {"headline": "Fit to learn from, with 1 reservation", "cautions": ["All are dark."]}
    _write(folder / "metrics/validate.json", data)
    _write(folder / "metrics/summary.json", {"accuracy": figures["accuracy"], "videos": 6})
    _write(folder / "metrics/train.json", {"epochs": 2, "best": None})
    predictions = pd.DataFrame(probabilities, columns=[f"p_{label}" for label in LABELS])
    answers = pd.concat([table.assign(predicted=labels[:4] + labels[:2]), predictions], axis=1)
    _write(folder / "reports/predictions.csv", answers)
    _write(folder / "reports/index.html", b"<!doctype html><title>report</title>")


def write_videos(folder: Path, make_video: MakeVideo) -> list[Path]:
    """The raw videos of `write_outputs`; they differ in colour."""
    return [
        make_video(folder / f"data/raw/{label}/{i}.mp4", seed=2 * n + i)
        for n, label in enumerate(LABELS)
        for i in range(2)
    ]


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        path.write_text(json.dumps(content), encoding="utf-8")
    elif path.suffix == ".csv":
        content.to_csv(path, index=False)
    else:
        content.to_parquet(path)
