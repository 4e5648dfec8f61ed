"""A hundred broken files in a data set, and videos that fail in `extract` alone: no stage stops."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd

from reelflow.store.frame_store import FrameStore
from tasks import extract, ingest, preprocess, validate
from tests.conftest import MakeVideo

# How each good video is made; of each there are some dozen broken ones.
KINDS = {
    "a.mp4": "libx264", "b.avi": "mpeg4", "c.mkv": "libx264", "d.mpg": "mpeg2video",
    "e.webm": "libvpx", "f.flv": "flv", "g.ogg": "libtheora", "h.mov": "mjpeg", "i.asf": "wmv2",
}  # fmt: skip


def broken(data: bytes, number: int) -> bytes:
    """A video cut short, with bytes changed, taken out, or put in, in one place or in many."""
    random = np.random.default_rng(number)
    at = int(random.integers(20, len(data) - 20))
    some = random.bytes(int(random.integers(1, 400)))
    places = random.integers(0, len(data), 30)
    spotted = np.frombuffer(data, np.uint8).copy()
    spotted[places] = random.integers(0, 256, 30)
    ways = (
        data[:at],
        data[at:],
        data[:at] + some + data[at + len(some) :],
        data[:at] + some + data[at:],
        data[:at] + data[at + len(some) :],
        spotted.tobytes(),
        data[:at] + bytes(len(data) - at),
    )
    return ways[number % len(ways)]


def write_broken(raw: Path, make_video: MakeVideo) -> int:
    """Good videos of two classes, and broken ones among them; how many those are."""
    count = 0
    for place, (name, codec) in enumerate(KINDS.items()):
        label = raw / ("run", "sit")[place % 2]
        for seed in range(2):
            made = make_video(label / f"{seed}{name}", codec=codec, seed=seed + place, rate=20)
        for number in range(12):
            made.with_name(f"bad{number}{name}").write_bytes(broken(made.read_bytes(), count))
            count += 1
    for name, data in {"text": b"hello\n" * 90, "noise": os.urandom(5000), "none": b""}.items():
        (raw / "run" / f"{name}.mp4").write_bytes(data)
    return count + 3


def set_params(project: Path, **values: str) -> None:
    path = project / "params.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in values.items():
        key = old.replace("__", ": ", 1)
        assert text.count(f"  {key}") == 1, key
        text = text.replace(f"  {key}", f"  {key.split(':')[0]}: {new} #")
    path.write_text(text, encoding="utf-8")


def test_a_hundred_broken_files_stop_no_stage(project: Path, make_video: MakeVideo) -> None:
    count = write_broken(project / "data/raw", make_video)
    assert count > 100
    set_params(project, max_quarantined_share__="1.0", min_likeness__="1.0")
    ingest.main()
    extract.main()
    manifest = pd.read_parquet("data/manifest.parquet")
    # Some can be decoded to their end without a complaint: what was changed matters to nobody.
    good = set(manifest["path"])
    assert {path for path in good if "bad" not in path} == {
        path.relative_to("data/raw").as_posix() for path in Path("data/raw").rglob("[01]*")
    }
    aside = pd.concat(
        pd.read_csv(name) for name in ("data/quarantine.csv", "data/quarantine_extract.csv")
    )
    assert len(manifest) + len(aside) >= count + 2 * len(KINDS)
    assert aside["reason"].str.len().min() > 10
    assert aside["remedy"].str.len().min() > 10
    failed = pd.read_csv("data/quarantine_extract.csv")
    assert len(FrameStore(Path("data/frames")).index) == len(manifest) - len(failed)


def test_a_video_that_fails_in_extract_alone_is_set_aside_and_the_rest_goes_on(
    project: Path, make_video: MakeVideo
) -> None:
    for place, label in enumerate(("run", "sit")):
        for seed in range(6):
            make_video(project / f"data/raw/{label}/{seed}.mp4", seed=seed + 10 * place, rate=20)
    # Its pictures are too large for the memory that the stage `extract` allows.
    make_video(project / "data/raw/run/huge.mkv", codec="mjpeg", size="6000x6000", seconds=0.3)
    text = (project / "params.yaml").read_text(encoding="utf-8")
    ours, sep, theirs = text.partition("\nextract:")
    theirs = theirs.replace("memory_mb: 1024", "memory_mb: 256", 1)
    (project / "params.yaml").write_text(f"{ours}{sep}{theirs}", encoding="utf-8")
    set_params(project, min_likeness__="1.0")
    ingest.main()
    assert "run/huge.mkv" in set(pd.read_parquet("data/manifest.parquet")["path"])
    for _ in range(2):
        extract.main()
        (row,) = pd.read_csv("data/quarantine_extract.csv").to_dict("records")
        assert row["path"] == "run/huge.mkv"
        assert row["code"] == "memory"
        assert "memory_mb" in row["remedy"]
        metrics = json.loads(Path("metrics/extract.json").read_text(encoding="utf-8"))
        assert (metrics["clips"], metrics["quarantined"]) == (12, 1)
    validate.main()
    preprocess.main()
    splits = [pd.read_csv(path) for path in Path("data/prepared").glob("*.csv")]
    assert sum(len(split) for split in splits) == 12
    assert "run/huge.mkv" in Path("reports/data.html").read_text(encoding="utf-8")
