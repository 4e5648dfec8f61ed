"""What a data set of N videos costs DVC and the stages: first, with nothing to do, one more.

    python -m benchmarks.growth 1000 10000

A project in a folder of its own, with files of noise in place of videos: the check cache and the
frame cache are told beforehand what they hold, through the same functions as the stages use, so
that the time is that of everything but decoding. The one more is a true video, checked and decoded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml

import reelflow.store.shards
from reelflow.base.progress import track
from reelflow.dataset.check_cache import CheckCache
from reelflow.dataset.fingerprints import SIDE
from reelflow.extraction.decoded_cache import DecodedCache
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.shards import SHARD_BYTES, record_of, shards_of, write_shard
from reelflow.video.check_by_decoding import VideoInfo
from reelflow.video.ffmpeg import ffmpeg_exe
from reelflow.video.file_changed import stamp_of
from tests.checkout import Checkout, make_project

CLASSES = 10
FRAMES = 150  # of each video, whose times the manifest holds
SPEC = ClipSpec(16, 64, 64)
# In place of it where there are too many videos for the disk, with as many clips a shard.
SMALL = ClipSpec(1, 16, 16)
MOST = 20_000
# Stages whose outputs are written by hand: what they cost has nothing to do with the store.
BY_HAND = ("train", "evaluate", "register")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=int)
    for videos in parser.parse_args().videos:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(Path(folder), videos), indent=1), flush=True)


def measure(folder: Path, videos: int) -> dict[str, Any]:
    """Seconds, CPU seconds and the largest memory of a process in MiB, of each step."""
    project = make_project(folder / "project")
    spec = SPEC if videos <= MOST else shrunk(project)
    size = {"frames": spec.frames, "height": spec.height, "width": spec.width}
    project.set_params(extract=size, validate={"max_frozen_share": 1.0})
    with chdir(project.root):  # the check cache knows files by the paths that `ingest` uses
        fill(videos, spec)
    steps: dict[str, Any] = {"videos": videos}
    steps["dvc add"] = timed(project, "dvc", "add", "data/raw")
    steps["first"] = timed(project, "dvc", "repro", "preprocess")
    by_hand(project)
    no_op = [timed(project, "dvc", "repro") for _ in range(3)]
    steps["nothing to do"] = min(no_op, key=lambda step: step["s"])
    one_more(project.root)
    steps["one more"] = timed(project, "dvc", "repro", "extract")
    steps["on to preprocess"] = timed(project, "dvc", "repro", "preprocess")
    for line in (project.root / ".reelflow/timings.jsonl").read_text().splitlines()[-4:]:
        told = json.loads(line)
        steps[told["stage"]] = told["seconds"]
    steps["shards"] = len(list((project.root / "data/frames").glob("*.npy")))
    return steps


def shrunk(project: Checkout) -> ClipSpec:
    """Have this process and the project put as many small clips into a shard as there are clips of
    the default size."""
    code = project.root / "reelflow/store/shards.py"
    shrink()
    text = code.read_text().replace("SHARD_BYTES = 16 * 1024 * 1024", "SHARD_BYTES = 65_280")
    code.write_text(text)
    assert f"SHARD_BYTES = {reelflow.store.shards.SHARD_BYTES:_}" in text
    return SMALL


def shrink() -> None:
    """The same in this process alone."""
    clips = SHARD_BYTES // math.prod(SPEC.shape)
    reelflow.store.shards.SHARD_BYTES = clips * math.prod(SMALL.shape)


def fill(videos: int, spec: ClipSpec) -> None:
    """Files in `data/raw`, what is known of them, and their clips in the cache of frames."""
    noise = np.random.default_rng(0)
    hashes = []
    for label in range(CLASSES):
        Path(f"data/raw/class{label}").mkdir(parents=True)
    with CheckCache(Path(".reelflow/checks.sqlite")) as cache:
        for number in track(range(videos), videos, "writing files"):
            path = Path(f"data/raw/class{number % CLASSES}/{number:07}.mp4")
            content = noise.bytes(1000)
            path.write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            cache.store_hash(path, digest, stamp_of(path))
            # Eight pictures a second; of two levels, so that they are packed as real ones are.
            pictures = noise.integers(0, 2, (40, SIDE, SIDE), np.uint8) * np.uint8(64)
            cache.store_fingerprint(digest, pictures)
            cache.store_verdict(digest, info_of(digest))
            hashes.append(digest)
    fill_frames(Path(".reelflow/frames"), sorted(hashes), spec)


def fill_frames(kept: Path, hashes: list[str], spec: ClipSpec) -> None:
    """Shards of noise."""
    noise = np.random.default_rng(1)
    frames = noise.integers(0, 256, spec.shape, np.uint8)
    record = record_of("0" * 64, Clip(frames, np.arange(spec.frames) / 3.2))
    cache = DecodedCache(kept, spec)
    shards = shards_of(hashes, spec)
    for name, members in track(shards.items(), len(shards), "writing shards"):
        records = np.repeat(record, len(members))
        records["hash"] = [video.encode() for video in members]
        records["frames"][:, 0] = noise.integers(0, 256, (len(members), 1, 1, 3), np.uint8)
        write_shard(cache.path(name), records)


def info_of(digest: str) -> VideoInfo:
    return VideoInfo(
        hash=digest, bytes=1000, container="mov,mp4,m4a,3gp,3g2,mj2", codec="h264",
        pixel_format="yuv420p", transfer="", width=320, height=240, fps=30.0, frames=FRAMES,
        intact=FRAMES, start=0.0, duration=5.0, rotation=0, stream=0,
        pts=tuple(range(0, FRAMES * 512, 512)), time_base="1/15360",
    )  # fmt: skip


def one_more(root: Path) -> None:
    picture = "testsrc2=size=320x240:rate=30:duration=5"
    command = [ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", picture, "-c:v", "mpeg4"]
    subprocess.run([*command, str(root / "data/raw/class0/new.mp4")], check=True)


def by_hand(project: Checkout) -> None:
    """Outputs of the last stages, which DVC takes as they are."""
    stages = yaml.safe_load((project.root / "dvc.yaml").read_text())["stages"]
    for stage in BY_HAND:
        kinds = (stages[stage].get(kind, []) for kind in ("outs", "metrics", "plots"))
        for out in (out for kind in kinds for out in kind):
            path = project.root / (out if isinstance(out, str) else next(iter(out)))
            if path.name == "models":
                path = path / "model.keras"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("{}" if path.suffix == ".json" else "a\n1\n")
    project.dvc("commit", "--force", *BY_HAND)


def timed(project: Checkout, *command: str) -> dict[str, float]:
    """Seconds of wall clock and of CPU, and the largest memory of one of its processes in MiB."""
    began, before = time.monotonic(), os.times()
    process = project.start(*command)
    most = 0.0
    while process.poll() is None:
        most = max(most, *memory_of(process.pid))
        time.sleep(0.1)
    seconds, after = time.monotonic() - began, os.times()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{project.output()}")
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return {"s": round(seconds, 2), "cpu": round(cpu, 2), "mib": round(most)}


def memory_of(pid: int) -> list[float]:
    """MiB of a process and of each of its children."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        return [process.memory_info().rss / 2**20 for process in family]
    except psutil.NoSuchProcess:
        return [0.0]


if __name__ == "__main__":
    main()
