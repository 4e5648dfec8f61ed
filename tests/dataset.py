"""A made-up data set as `ingest` and `extract` leave it: manifest and frame store, no videos."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from reelflow.store import unit_path, write_unit
from reelflow.video.clip import Clip, ClipSpec

SPEC = ClipSpec(4, 16, 24)


def digest(text: str) -> str:
    """A content hash, made of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def manifest_of(videos: Sequence[tuple[str, str | None]], split: str | None = None) -> pd.DataFrame:
    """The manifest of videos given as (path, group); the label is the first part of the path."""
    paths = [path for path, _ in videos]
    table = pd.DataFrame(
        {
            "hash": [digest(path) for path in paths],
            "path": paths,
            "label": [path.split("/")[0] for path in paths],
            "group": pd.Series([group for _, group in videos], dtype="str"),
            "split": pd.Series([split] * len(paths), dtype="str"),
            "container": "mov",
            "codec": "h264",
            "pixel_format": "yuv420p",
            "bytes": 1000,
            "frames": 25,
            "fps": 25.0,
            "start": 0.0,
            "duration": 1.0,
            "pts": [list(range(25))] * len(paths),
            "time_base": "1/25",
        }
    )
    for name, value in {
        "width": 64,
        "height": 48,
        "rotation": 0,
        "stream": 0,
        "duplicates": 0,
    }.items():
        table[name] = pd.Series(value, index=table.index, dtype="int32")
    return table.sort_values("path", ignore_index=True)


def grid(
    labels: Sequence[str] = ("bend", "jump", "wave"), groups: int = 6, videos: int = 2
) -> list[tuple[str, str | None]]:
    """Videos of every label in every group."""
    return [
        (f"{label}/g{group}_{number}.mp4", f"g{group}")
        for label in labels
        for group in range(groups)
        for number in range(videos)
    ]


def write_store(root: Path, manifest: pd.DataFrame, spec: ClipSpec = SPEC) -> None:
    """Noise for frames, made of the hash of each video, at the frame times of 25 a second."""
    rows = []
    for video in manifest["hash"]:
        pixels = np.random.default_rng(int(video[:8], 16)).integers(0, 256, spec.shape)
        clip = Clip(pixels.astype(np.uint8), np.arange(spec.frames) / 25)
        unit = unit_path(video, spec)
        write_unit(root / unit, clip)
        rows.append((video, unit.as_posix(), clip.timestamps, float(clip.frames.mean()), 85.0))
    columns = ["hash", "unit", "timestamps", "brightness", "change"]
    root.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=columns).to_parquet(root / "index.parquet")
    (root / "spec.json").write_text(json.dumps(spec.to_dict()), encoding="utf-8")


def write_dataset(folder: Path, manifest: pd.DataFrame) -> None:
    """Write the manifest and the frames to where the stages look for them under `folder`."""
    write_store(folder / "data/frames", manifest)
    manifest.to_parquet(folder / "data/manifest.parquet")
