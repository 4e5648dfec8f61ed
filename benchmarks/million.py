"""The frame store with a million clips, for true: `python -m benchmarks.million [--clips 1000000]`.

Clips of one frame of 16 x 16 stand in for larger ones; as many share a shard as clips of 16 frames
of 64 x 64 would, so that shards, index, names and lookups are those of a store of 200 GB. Each step
runs in a process of its own; printed are its seconds and what its memory grew by, in MiB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.growth import SMALL, fill_frames, info_of, shrink
from reelflow.extraction.decoded_cache import DecodedCache, clip_path
from reelflow.extraction.engines import local_engine
from reelflow.extraction.fill_store import extract_missing, finish_store, wanted_shards
from reelflow.store.clip_spec import Clip
from reelflow.store.frame_store import FrameStore
from reelflow.store.shards import record_of, write_shard
from reelflow.training.batches import Batches
from reelflow.video.process_limits import Bounds

CHUNK = 20_000
READ = 200_000
CLIP = Clip(np.zeros(SMALL.shape, np.uint8), np.zeros(1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), parser.parse_args().clips), indent=1))


def measure(root: Path, clips: int) -> dict[str, Any]:
    """Seconds and MiB of each step, the number of shards, and clips a second."""
    told: dict[str, Any] = {"clips": clips}
    in_process(write_everything, root, clips)
    told["extract, the first time"] = in_process(extract, root)
    told["extract, nothing new"] = in_process(extract, root)
    in_process(write_manifest, root, clips + 1)
    new = video_hashes(clips + 1)[clips]
    write_shard(clip_path(root / "kept", SMALL, new), record_of(new, CLIP))
    told["extract, one more"] = in_process(extract, root)
    told["open the store"] = in_process(open_store, root)
    reading = in_process(read, root)
    told[f"open it and read {READ:,} clips"] = reading
    told["clips_per_s"] = round(READ / reading["s"])
    told["shards"] = len(list((root / "frames").glob("*.npy")))
    told["index_mib"] = round((root / "frames/index.parquet").stat().st_size / 2**20)
    return told


def in_process(step: Callable[..., None], *arguments: object) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=shrink) as pool:
        return pool.submit(_measured, step, *arguments).result()


def _measured(step: Callable[..., None], *arguments: object) -> dict[str, float]:
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    step(*arguments)
    seconds = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"s": round(seconds, 2), "mib": round(grown / 1024)}


def video_hashes(clips: int) -> list[str]:
    """The first are the same, however many are asked for."""
    return [
        row.tobytes().hex()
        for row in np.random.default_rng(0).integers(0, 256, (clips, 32), np.uint8)
    ]


def write_everything(root: Path, clips: int) -> None:
    write_manifest(root, clips)
    fill_frames(root / "kept", sorted(video_hashes(clips)), SMALL)


def write_manifest(root: Path, clips: int) -> None:
    """Written a part at a time, as large as true ones."""
    hashes, writer = video_hashes(clips), None
    for start in range(0, clips, CHUNK):
        rows = [info_of(video).to_dict() for video in hashes[start : start + CHUNK]]
        table = pa.Table.from_pylist([{**row, "path": f"{row['hash']}.mp4"} for row in rows])
        encoding = {"pts.list.element": "DELTA_BINARY_PACKED"}
        writer = writer or pq.ParquetWriter(
            root / "manifest.parquet",
            table.schema,
            compression="zstd",
            use_dictionary=[name for name in table.column_names if name != "pts"],
            column_encoding=encoding,
        )
        writer.write_table(table)
    assert writer is not None
    writer.close()


def extract(root: Path) -> None:
    """What the stage does; no video is there, so that each clip must come from what is kept."""
    cache = DecodedCache(root / "kept", SMALL)
    shards = wanted_shards(root / "manifest.parquet", SMALL)
    engine = local_engine(root, cache.folder, SMALL, Bounds(), 0)
    extract_missing(root / "manifest.parquet", shards, cache, engine, {})
    finish_store(shards, cache, root / "frames", SMALL)


def open_store(root: Path) -> None:
    FrameStore(root / "frames")


def read(root: Path) -> None:
    """Batches of a shuffled epoch."""
    store = FrameStore(root / "frames")
    hashes = pq.read_table(root / "frames/index.parquet", columns=["hash"])["hash"].to_pylist()
    videos = pd.DataFrame({"hash": hashes, "target": 0})
    batches = Batches(store, videos, 16, np.ones(1, np.float32), seed=0)
    for index in range(READ // 16):
        batches.batch(index // len(batches), index % len(batches))


if __name__ == "__main__":
    main()
