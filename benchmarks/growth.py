"""What a data set of N videos costs DVC and the stages: first, with nothing to do, one more.

    python -m benchmarks.growth 1000 10000

A project in a folder of its own, with files of noise in place of videos: the check cache and the
frame cache are told beforehand what they hold, through the same functions as the stages, so that
the time is that of everything but decoding. The one more is a true video, checked and decoded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import yaml

from reelflow.checkcache import CheckCache
from reelflow.progress import track
from reelflow.store import record_of, shards_of, write_shard
from reelflow.unitcache import UnitCache
from reelflow.video.check import VideoInfo
from reelflow.video.clip import Clip, ClipSpec
from reelflow.video.ffmpeg import ffmpeg_exe
from tests.checkout import Checkout, make_project

CLASSES = 10
FRAMES = 150  # of each video, whose times the manifest holds
SPEC = ClipSpec(16, 64, 64)
# Stages whose outputs are written by hand: what they cost has nothing to do with the store.
BY_HAND = ("train", "evaluate", "register")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=int)
    for videos in parser.parse_args().videos:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(Path(folder), videos)), flush=True)


def measure(folder: Path, videos: int) -> dict[str, Any]:
    """The seconds of each step, and the largest memory of a process in MiB."""
    project = make_project(folder / "project")
    project.set_params(validate={"max_frozen_share": 1.0})
    fill(project.root, videos)
    steps: dict[str, Any] = {"videos": videos}
    steps["add"] = timed(project, "dvc", "add", "data/raw")
    steps["first"] = timed(project, "dvc", "repro", "preprocess")
    by_hand(project)
    steps["no_op"] = min((timed(project, "dvc", "repro") for _ in range(3)), key=lambda t: t["s"])
    one_more(project.root, 1)
    steps["one_more"] = timed(project, "dvc", "repro", "extract")
    steps["downstream"] = timed(project, "dvc", "repro", "preprocess")
    files = list((project.root / "data/frames").iterdir())
    steps["files"] = len(files)
    steps["mib"] = round(sum(path.stat().st_size for path in files) / 2**20)
    return steps


def fill(root: Path, videos: int) -> None:
    """Files in `data/raw`, what is known of them, and their clips in the cache of frames."""
    noise = np.random.default_rng(0)
    hashes = []
    raw = root / "data/raw"
    for label in range(CLASSES):
        (raw / f"class{label}").mkdir(parents=True, exist_ok=True)
    os.chdir(root)  # the check cache knows files by the paths that `ingest` uses
    with CheckCache(Path(".reelflow/checks.sqlite")) as cache:
        for number in track(range(videos), videos, "writing files"):
            path = Path(f"data/raw/class{number % CLASSES}/{number:07}.mp4")
            content = noise.bytes(1000)
            path.write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            cache.store_hash(path, digest)
            cache.store_verdict(digest, info_of(digest, len(content)))
            hashes.append(digest)
    fill_frames(Path(".reelflow/frames"), sorted(hashes), SPEC)


def fill_frames(kept: Path, hashes: list[str], spec: ClipSpec) -> None:
    """Shards of noise."""
    noise = np.random.default_rng(1)
    frames = noise.integers(0, 256, spec.shape, np.uint8)
    record = record_of("0" * 64, Clip(frames, np.arange(spec.frames) / 3.2))
    cache = UnitCache(kept, spec)
    shards = shards_of(hashes, spec)
    for name, members in track(shards.items(), len(shards), "writing shards"):
        records = np.repeat(record, len(members))
        records["hash"] = [video.encode() for video in members]
        records["frames"][:, 0] = noise.integers(0, 256, (len(members), 1, 1, 3), np.uint8)
        write_shard(cache.path(name), records)


def info_of(digest: str, size: int) -> VideoInfo:
    return VideoInfo(
        digest, size, "mov,mp4,m4a,3gp,3g2,mj2", "h264", "yuv420p", 320, 240, 30.0, FRAMES, FRAMES,
        0.0, 5.0, 0, 0, tuple(range(0, FRAMES * 512, 512)), "1/15360",
    )  # fmt: skip


def one_more(root: Path, seed: int) -> None:
    picture = f"testsrc2=size=320x240:rate=30:duration=5,hue=h={seed}"
    target = root / f"data/raw/class0/new{seed}.mp4"
    command = [ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", picture, "-c:v", "mpeg4"]
    subprocess.run([*command, str(target)], check=True)


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
    began = time.monotonic()
    before = os.times()
    process = project.start(*command)
    most = 0
    while process.poll() is None:
        most = max(most, _largest(process.pid))
        time.sleep(0.02)
    seconds, after = time.monotonic() - began, os.times()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed in {project.root}")
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return {"s": round(seconds, 2), "cpu": round(cpu, 2), "mib": round(most / 2**20)}


def _largest(pid: int) -> int:
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    most = 0
    for process in family:
        try:
            most = max(most, process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return most


if __name__ == "__main__":
    main()
