"""A made-up data set as `ingest` and `extract` leave it: manifest and frame store, no videos."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from reelflow.extraction.decoded_cache import DecodedCache, clip_path
from reelflow.extraction.fill_store import Shards, finish_store
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.shards import record_of, shards_of, write_shard

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
            "alike": pd.Series([None] * len(paths), dtype="str"),
            "container": "mov",
            "codec": "h264",
            "pixel_format": "yuv420p",
            "transfer": "",
            "bytes": 1000,
            "frames": 25,
            "intact": 25,
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


def write_clips(
    root: Path, clips: Mapping[str, Clip], spec: ClipSpec, *, alone: bool = False
) -> None:
    """A frame store of these clips, by the hashes of their videos; each in a shard `alone`."""
    shards: Shards = shards_of(sorted(clips), spec)
    if alone:
        shards = {f"{spec.id}-{video[:16]}.npy": [video] for video in sorted(clips)}
    cache = DecodedCache(root.with_name("kept"), spec)
    for video, clip in clips.items():
        write_shard(clip_path(cache.folder, spec, video), record_of(video, clip))
    for name, members in shards.items():
        cache.assemble(name, members, {})
    finish_store(shards, cache, root, spec)


def write_store(
    root: Path, manifest: pd.DataFrame, spec: ClipSpec = SPEC, *, alone: bool = False
) -> None:
    """Noise for frames, made of the hash of each video, at the frame times of 25 a second."""
    clips = {}
    for video in manifest["hash"].unique():
        pixels = np.random.default_rng(int(video[:8], 16)).integers(0, 256, spec.shape)
        clips[video] = Clip(pixels.astype(np.uint8), np.arange(spec.frames) / 25)
    write_clips(root, clips, spec, alone=alone)


def write_dataset(folder: Path, manifest: pd.DataFrame) -> None:
    """Write the manifest and the frames to where the stages look for them under `folder`."""
    write_store(folder / "data/frames", manifest)
    manifest.to_parquet(folder / "data/manifest.parquet")
    (folder / "data/quarantine.csv").write_text("path,code,reason,remedy\n", encoding="utf-8")
    columns = "path,other,likeness,shift_s,mirrored\n"
    (folder / "data/near_duplicates.csv").write_text(columns, encoding="utf-8")
