"""From a copy among the videos to the split that keeps it with its original."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tasks import extract, ingest, preprocess, validate
from tests.conftest import ffmpeg
from tests.scenes import scene


@pytest.fixture
def raw(project: Path) -> Path:
    """Six clips of two classes, of one scene, and copies of two of them."""
    root = project / "data/raw"
    for seed in range(6):
        scene(root / ("run" if seed < 3 else "sit") / f"{seed}.mp4", seed)
    copy(root / "run/1.mp4", root / "run/copy.mkv", "-vf", "scale=120:90", "-c:v", "mpeg4")
    copy(root / "sit/4.mp4", root / "run/mirrored.mp4", "-vf", "hflip", "-crf", "30")
    return root


def copy(original: Path, to: Path, *options: str) -> None:
    ffmpeg("-i", str(original), *options, f"file:{to}")


def test_copies_are_found_named_and_kept_with_their_originals(
    raw: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ingest.main()
    table = pd.read_csv("data/near_duplicates.csv", dtype={"mirrored": str})
    assert table[["path", "other", "mirrored"]].to_numpy().tolist() == [
        ["run/1.mp4", "run/copy.mkv", "false"],
        ["run/mirrored.mp4", "sit/4.mp4", "true"],
    ]
    assert (table["likeness"] > 0.83).all()
    manifest = pd.read_parquet("data/manifest.parquet").set_index("path")
    assert manifest["alike"].nunique() == 2
    assert manifest["alike"].count() == 4
    assert json.loads(Path("metrics/ingest.json").read_text("utf-8"))["near_duplicates"] == 4
    assert "4 videos look like another one" in caplog.text

    first = Path("data/near_duplicates.csv").read_bytes()
    Path(".reelflow/checks.sqlite").unlink()
    ingest.main()
    assert Path("data/near_duplicates.csv").read_bytes() == first

    extract.main()
    validate.main()
    (conflict,) = [r.message for r in caplog.records if "Near-duplicates" in r.message]
    assert "run/mirrored.mp4 and sit/4.mp4" in conflict
    page = Path("reports/data.html").read_text("utf-8")
    assert "2 pairs of videos" in page

    preprocess.main()
    split = {
        path: name
        for name in ("train", "validation", "test")
        for path in pd.read_csv(f"data/prepared/{name}.csv")["path"]
    }
    assert len(split) == 8
    assert split["run/1.mp4"] == split["run/copy.mkv"]
    assert split["run/mirrored.mp4"] == split["sit/4.mp4"]


def test_none_are_looked_for_where_that_is_asked_for(raw: Path, project: Path) -> None:
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("min_likeness: 0.83", "min_likeness: 1.0"), encoding="utf-8")
    ingest.main()
    assert Path("data/near_duplicates.csv").read_text("utf-8").count("\n") == 1
    assert pd.read_parquet("data/manifest.parquet")["alike"].isna().all()
