"""The figures of docs/scale.md: `make bench-scale`, or `python -m benchmarks.scale PART…`.

Each part measures and then writes its own table in the page, which keeps its text:

    reader    clips a second from the frame store and on the fly
    growth    DVC and the stages with 1,000, 10,000 and 30,000 videos
    memory    of extracting 200 and 2,000 clips
    million   the frame store with a million clips
"""

from __future__ import annotations

import argparse
import re
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import growth, million, reader
from benchmarks.growth import memory_of
from reelflow.base.parallel import worker_count
from reelflow.video.check_by_decoding import VideoInfo, check_video, hash_file
from reelflow.video.process_limits import Bounds

PAGE = Path("docs/scale.md")
SIZES = (1_000, 10_000, 30_000)
CLIPS = (200, 2_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    for part in parser.parse_args().parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            table = PARTS[part](Path(folder))
        print(table, flush=True)
        page = PAGE.read_text(encoding="utf-8")
        marks = rf"(?<=<!-- {part} -->\n).*?(?=<!-- end -->)"
        assert re.search(marks, page, re.DOTALL), f"{PAGE} has no place for {part}"
        # Once: where the place is empty, what follows it would be found as well.
        page = re.sub(marks, lambda _: f"\n{table}\n\n", page, count=1, flags=re.DOTALL)  # noqa: B023
        PAGE.write_text(page, encoding="utf-8")


def reader_table(folder: Path) -> str:
    told = reader.measure(folder, 200)
    cores = worker_count(0)
    rates: dict[str, dict[int, float]] = {}
    for name, threads, rate in told["rates"]:
        rates.setdefault(name, {})[threads] = rate
    rows = [("clips a second", "one thread", *([f"{cores} threads"] if cores > 1 else []))]
    rows += [(name, *(f"{rate:,.0f}" for rate in found.values())) for name, found in rates.items()]
    mib = ", ".join(f"{size} MiB after {epochs}" for epochs, size in told["memory_mib"].items())
    return f"{_table(rows)}\n\nMemory of the reading process, by epochs read: {mib}."


def growth_table(folder: Path) -> str:
    told = {}
    for videos in SIZES:
        told[videos] = growth.measure(folder / str(videos), videos)
    rows = [("videos", *(f"{videos:,}" for videos in SIZES), "1,000,000 (extrapolated)")]
    steps = ("dvc add", "first", "nothing to do", "one more", "on to preprocess")
    for step in steps:
        found = [told[videos][step] for videos in SIZES]
        cells = [f"{a['s']:.1f} s ({a['cpu']:.1f} s of CPU), {a['mib']:.0f} MiB" for a in found]
        far = {key: _line(SIZES[1:], [a[key] for a in found[1:]], 1_000_000) for key in found[0]}
        rows.append((step, *cells, f"{far['s']:,.0f} s, {far['mib'] / 1024:.1f} GiB"))
    for stage in ("ingest", "extract", "validate", "preprocess"):
        found = [told[videos][stage] for videos in SIZES]
        far = _line(SIZES[1:], found[1:], 1_000_000)
        rows.append((f"of which `{stage}`", *(f"{s:.1f} s" for s in found), f"{far:,.0f} s"))
    rows.append(("shards", *(f"{told[videos]['shards']:,}" for videos in SIZES), ""))
    return _table(rows)


def memory_table(folder: Path) -> str:
    paths = reader.make_videos(folder / "raw", CLIPS[0])
    infos = [check_video(path, Bounds()) for path in paths]
    rows: list[tuple[str, ...]] = [("clips", "driver", "largest worker", "clips a second")]
    for clips in CLIPS:
        root = folder / str(clips)
        (root / "raw").mkdir(parents=True)
        videos = [
            _copied(paths[at % CLIPS[0]], root / "raw" / f"{at}.mp4", infos[at % CLIPS[0]], at)
            for at in range(clips)
        ]
        driver, worker, seconds = _watched(lambda: reader.extract(root, videos))  # noqa: B023
        rate = f"{clips / seconds:.0f}"
        rows.append((f"{clips:,}", f"{driver:.0f} MiB", f"{worker:.0f} MiB", rate))
    return _table(rows)


def _copied(path: Path, copy: Path, info: VideoInfo, number: int) -> tuple[Path, VideoInfo]:
    """The same video with other bytes, in a box that no decoder looks at."""
    copy.write_bytes(path.read_bytes() + b"\0\0\0\x10free%08d" % number)
    return copy, VideoInfo(**{**vars(info), "hash": hash_file(copy)})


def _watched(work: Callable[[], object]) -> tuple[float, float, float]:
    """What this process grew by, the largest of its children (MiB), and the seconds it took."""
    import os

    most = {"own": 0.0, "child": 0.0}
    done = threading.Event()
    at_first = memory_of(os.getpid())[0]

    def watch() -> None:
        while not done.wait(0.05):
            own, *children = memory_of(os.getpid())
            most["own"] = max(most["own"], own - at_first)
            most["child"] = max(most["child"], *children, 0.0)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return most["own"], most["child"], time.perf_counter() - began


def million_table(folder: Path) -> str:
    told: dict[str, Any] = million.measure(folder, 1_000_000)
    rows: list[tuple[str, ...]] = [(f"{told['shards']:,} shards", "seconds", "memory")]
    for step, measured in told.items():
        if isinstance(measured, dict):
            rows.append((step, f"{measured['s']:.1f}", f"{measured['mib']:.0f} MiB"))
    table = _table(rows)
    rate = f"Read in a shuffled order: {told['clips_per_s']:,} clips a second, one thread."
    return f"{table}\n\n{rate} The index is {told['index_mib']} MiB."


def _line(at: tuple[int, ...], values: list[float], to: int) -> float:
    """Through two points."""
    slope = (values[1] - values[0]) / (at[1] - at[0])
    return values[1] + slope * (to - at[1])


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


PARTS: dict[str, Callable[[Path], str]] = {
    "reader": reader_table,
    "growth": growth_table,
    "memory": memory_table,
    "million": million_table,
}


if __name__ == "__main__":
    main()
