"""Clips a second for training: from the frame store, and decoded on the fly by other readers.

    python -m benchmarks.reader [--clips 200]

The short videos of `benchmarks.extract` are extracted; then the same frames (16 at the centres of
equal segments, 64 x 64) are read in a shuffled order by threads, as Keras reads, the readers in
turn, several rounds; medians.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import psutil

from benchmarks.extract import ROWS, video_of
from benchmarks.peers import READERS, Job
from reelflow.base.parallel import worker_count
from reelflow.extraction import samplers
from reelflow.extraction.decoded_cache import DecodedCache
from reelflow.extraction.engines import local_engine
from reelflow.extraction.fill_store import extract_missing, finish_store, wanted_shards
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.store.shards import open_shard
from reelflow.training.batches import Batches
from reelflow.video.check_by_decoding import VideoInfo, check_video
from reelflow.video.process_limits import Bounds

SPEC = ClipSpec(16, 64, 64, fit="stretch")
BATCH = 16
ROUNDS = 5
# Times that a reader of the store goes through it in a round, so that there is something to time.
EPOCHS = 20

Read = Callable[[int], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=200)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), parser.parse_args().clips), indent=1))


def measure(root: Path, clips: int) -> dict[str, Any]:
    """Clips a second of each reader, with one thread and with as many as there are cores."""
    videos = [(path, check_video(path, Bounds())) for path in make_videos(root / "raw", clips)]
    began = time.perf_counter()
    store = extract(root, videos)
    seconds = time.perf_counter() - began
    order = np.random.default_rng(0).permutation(clips).tolist()
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for name, (read, epochs) in readers_of(store, videos).items():
            for threads in sorted({1, worker_count(0)}):
                if "cold" in name:
                    forget(store)
                numbers = range(-(-clips // BATCH)) if "batches" in name else order
                taken = timed(read, [*numbers] * epochs, threads)
                rates.setdefault((name, threads), []).append(epochs * clips / taken)
    return {
        "clips": clips,
        "extracted_per_s": round(clips / seconds, 1),
        "rates": [(*reader, round(median(found), 1)) for reader, found in rates.items()],
        "memory_mib": memory(store, videos),
    }


def make_videos(folder: Path, clips: int) -> list[Path]:
    """Short videos, all of them encoded at once."""
    folder.mkdir(exist_ok=True)
    with ThreadPoolExecutor(worker_count(0)) as pool:
        return list(pool.map(partial(video_of, ROWS[0], folder), range(clips)))


def extract(root: Path, videos: Sequence[tuple[Path, VideoInfo]]) -> FrameStore:
    """The store of these videos."""
    manifest = root / "manifest.parquet"
    rows = [{**info.to_dict(), "path": path.name} for path, info in videos]
    pd.DataFrame(rows).to_parquet(manifest)
    cache = DecodedCache(root / "kept", SPEC)
    shards = wanted_shards(manifest, SPEC)
    engine = local_engine(root / "raw", cache.folder, SPEC, Bounds(), 0)
    extract_missing(manifest, shards, cache, engine, {})
    finish_store(shards, cache, root / "frames", SPEC)
    return FrameStore(root / "frames")


def readers_of(
    store: FrameStore, videos: Sequence[tuple[Path, VideoInfo]]
) -> dict[str, tuple[Read, int]]:
    """Each takes the number of a clip (of a batch, where it says so); and how often in a round."""
    places = store.places([info.hash for _, info in videos])
    maps = {name: open_shard(store.root / name) for name in store.index["shard"].unique()}
    spots = [
        (maps[shard]["frames"], int(np.flatnonzero(maps[shard]["hash"] == info.hash.encode())[0]))
        for _, info in videos
        for shard in [store.index.at[info.hash, "shard"]]
    ]
    jobs = []
    for path, info in videos:
        indices = getattr(samplers, SPEC.sampler)(np.asarray(info.pts), 1.0, SPEC)
        jobs.append(Job(path, SPEC, info, tuple(int(at) for at in np.unique(indices))))

    def plain(number: int) -> object:
        store.read(int(places[number]), into := np.empty(SPEC.shape, np.uint8))
        return into

    def mapped(number: int) -> object:
        shard, at = spots[number]
        return np.array(shard[at])

    batches = batches_of(store, videos)
    ours = {
        f"frame store, batches of {BATCH}": (lambda number: batches.batch(0, number), EPOCHS),
        "frame store, clip by clip": (plain, EPOCHS),
        "frame store, cold (not in the system's memory)": (plain, 1),
        "frame store, mapped instead of read": (mapped, EPOCHS),
    }
    peers = {
        f"{name} on the fly": (partial(_first, READERS[name], jobs), 1)
        for name in ("OpenCV", "PyAV", "decord")
    }
    return {**ours, **peers}


def _first(reader: Callable[..., Any], jobs: Sequence[Job], number: int) -> object:
    return next(reader([jobs[number]]))


def batches_of(store: FrameStore, videos: Sequence[tuple[Path, VideoInfo]]) -> Batches:
    table = pd.DataFrame({"hash": [info.hash for _, info in videos], "target": 0})
    return Batches(store, table, BATCH, np.ones(1, np.float32), seed=0)


def timed(read: Read, numbers: Iterable[int], threads: int) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(read, numbers):
            pass
    return time.perf_counter() - began


def forget(store: FrameStore) -> None:
    """Make the system forget what it holds of the store in memory."""
    for path in store.root.glob("*.npy"):
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def memory(store: FrameStore, videos: Sequence[tuple[Path, VideoInfo]]) -> dict[int, int]:
    """MiB of this process by how often it has gone through the store."""
    batches = batches_of(store, videos)
    found = {}
    for epoch in range(100):
        for index in range(len(batches)):
            batches.batch(epoch, index)
        if epoch + 1 in (1, 10, 100):
            found[epoch + 1] = round(psutil.Process().memory_info().rss / 2**20)
    return found


if __name__ == "__main__":
    main()
