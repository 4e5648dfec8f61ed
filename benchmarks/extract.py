"""Reading clips: ours, OpenCV, PyAV, decord and ffmpeg alone, on the same generated videos.

    make bench-extract        # writes docs/extraction.md's table and chart

Every reader takes the same frames and gives them as RGB of the same size; every row is measured
in several rounds in which the readers take turns, and the medians are compared. `ffmpeg` decodes
the whole video and throws it away: the limit for a reader that decodes everything. What `ingest`
costs before stands beside. Videos move and carry noise, since smooth pictures decode quicker than
real ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import READERS, Job
from reelflow.extraction.samplers import uniform
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import check_video
from reelflow.video.ffmpeg import ffmpeg_exe
from reelflow.video.process_limits import Bounds

SIDE = 112
CORES = len(os.sched_getaffinity(0))
DOCS = Path("docs/extraction.md")
INTRODUCTION = """# Reading clips, measured

`make bench-extract` writes this page: the same frames of the same generated videos, as RGB of
112×112, read by Reelflow, OpenCV, PyAV and decord, on {cores} cores; medians of {rounds} rounds in
which the readers take turns. In each cell: seconds, and the same as a multiple of ours. `ffmpeg`
decodes the whole video and throws it away. The check of `ingest`, once for each new video, decodes
it to its end within bounds and takes its fingerprint. Short clips of real collections have about
0.5 Mbit/s (UCF101: MPEG-4, a key frame in twelve); of more, decoding takes a larger part.
"""


@dataclass(frozen=True)
class Row:
    """One line of the table: `count` videos of one kind, `frames` of each (0: all)."""

    name: str
    size: str
    seconds: float
    rate: int
    codec: tuple[str, ...]
    frames: int
    count: int = 1
    sampler: str = "uniform"
    noise: int = 12


def _h264(gop: int) -> tuple[str, ...]:
    return ("libx264", "-preset", "veryfast", "-g", str(gop), "-keyint_min", str(gop),
            "-sc_threshold", "0")  # fmt: skip


ROWS = (
    Row("200 short clips, 320×240 MPEG-4 of 0.7 Mbit/s, 16 frames each, all cores", "320x240", 4,
        25, ("mpeg4", "-b:v", "475k", "-g", "12"), 16, count=200, noise=4),
    Row("the same of 3.5 Mbit/s", "320x240", 4, 25, ("mpeg4", "-q:v", "5"), 16, count=200),
    Row("the same in H.264 of 0.5 Mbit/s", "320x240", 4, 25, (*_h264(48), "-b:v", "475k"), 16,
        count=200),
    Row("10 s of 454×256 H.264, 16 frames", "454x256", 10, 25, _h264(48), 16),
    Row("2 min of 720p H.264, GOP 250, 16 frames", "1280x720", 120, 25, _h264(250), 16),
    Row("the same, all 3000 frames", "1280x720", 120, 25, _h264(250), 0),
    Row("the same, 12 key frames", "1280x720", 120, 25, _h264(250), 12, sampler="keyframes"),
    Row("20 s of 960×540 H.264, GOP 600, 10 frames", "960x540", 20, 30, _h264(600), 10),
    Row("20 s of 1080p H.264, GOP 600, 10 frames", "1920x1080", 20, 30, _h264(600), 10),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs="+", default=range(len(ROWS)))
    parser.add_argument("--docs", action="store_true", help=f"write the result into {DOCS}")
    asked = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for row in (ROWS[number] for number in asked.rows):
            jobs = _jobs(row, Path(folder))
            results[row.name] = _measured(jobs, asked.rounds)
            print(_line(row.name, results[row.name]), flush=True)
    if asked.docs:
        _write(results, asked.rounds)


def _jobs(row: Row, folder: Path) -> list[Job]:
    jobs = []
    for number in range(row.count):
        path = video_of(row, folder, number)
        info = check_video(path, Bounds(timeout_s=600))
        spec = ClipSpec(row.frames or info.frames, SIDE, SIDE, fit="stretch", sampler=row.sampler)
        indices = uniform(np.asarray(info.pts), 1.0, spec)
        jobs.append(Job(path, spec, info, tuple(int(at) for at in np.unique(indices))))
    return jobs


def video_of(row: Row, folder: Path, number: int) -> Path:
    kind = f"{row.size}-{row.seconds:g}-{row.noise}-{'-'.join(row.codec)}".replace(":", "")
    path = folder / f"{kind}-{number}.mp4"
    if not path.exists():
        picture = (
            f"testsrc2=size={row.size}:rate={row.rate}:duration={row.seconds},hue=h={7 * number},"
            f"scroll=h=0.004:v=0.003,noise=alls={row.noise}:allf=t"
        )
        command = [ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", picture, "-c:v", *row.codec,
                   "-pix_fmt", "yuv420p", path]  # fmt: skip
        subprocess.run(command, check=True)
    return path


def _measured(jobs: list[Job], rounds: int) -> dict[str, float]:
    """Median seconds by reader; a process a core where there are many jobs."""
    seconds: dict[str, list[float]] = {name: [] for name in READERS}
    context = get_context("spawn")
    with ProcessPoolExecutor(CORES if len(jobs) > 1 else 1, context) as pool:
        for number in range(rounds + 1):
            for name, reader in READERS.items():
                began = time.perf_counter()
                _read(pool, reader, jobs)
                # The first round starts processes, imports readers and warms the page cache.
                if number:
                    seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(found) for name, found in seconds.items()}


def _read(pool: ProcessPoolExecutor, reader: Callable[..., Any], jobs: list[Job]) -> None:
    chunk = max(1, min(8, len(jobs) // CORES))
    parts = [jobs[at : at + chunk] for at in range(0, len(jobs), chunk)]
    for shapes in pool.map(partial(_shapes, reader), parts):
        for shape in shapes:
            assert shape is None or shape[1:] == (SIDE, SIDE, 3)


def _shapes(reader: Callable[..., Any], jobs: Sequence[Job]) -> list[Any]:
    """Read, and send back no more than the shapes: a training reader shares memory too."""
    return [None if frames is None else frames.shape for frames in reader(jobs)]


def _line(name: str, found: dict[str, float]) -> str:
    ours = found["reelflow"]
    cells = [f"{seconds:.3f} s · {seconds / ours:.2f}" for seconds in found.values()]
    return f"| {name} | {' | '.join(cells)} |"


def _write(results: dict[str, dict[str, float]], rounds: int) -> None:
    table = [f"| | {' | '.join(READERS)} |", "|---" * (len(READERS) + 1) + "|"]
    table += [_line(name, found) for name, found in results.items()]
    chart = DOCS.with_suffix(".svg")
    _draw(results, chart)
    introduction = INTRODUCTION.format(cores=CORES, rounds=rounds)
    picture = f"![seconds as a multiple of ours]({chart.name})"
    DOCS.write_text("\n".join([introduction, *table, "", picture, ""]), encoding="utf-8")


def _draw(results: dict[str, dict[str, float]], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "reelflow"
    figure = Figure(figsize=(10, 0.9 * len(results) + 1), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(READERS)
    for at, name in enumerate(READERS):
        ratios = [found[name] / found["reelflow"] for found in results.values()]
        places = [row + at * height for row in range(len(results))]
        axes.barh(places, ratios, height, label=name.replace("`", ""))
    names = [textwrap.fill(name, 34) for name in results]
    axes.set_yticks([row + 0.4 for row in range(len(results))], names)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(0.8, 100)
    axes.set_xticks((1, 2, 5, 10, 20, 50, 100), ("1", "2", "5", "10", "20", "50", "100"))
    axes.set_xticks((), minor=True)
    axes.set_xlabel("seconds, as a multiple of Reelflow's")
    axes.invert_yaxis()
    axes.legend(loc="upper right")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
