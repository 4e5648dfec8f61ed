from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from reelflow.base.errors import DataError
from tasks.validate import main
from tests.dataset import grid, manifest_of, write_dataset


def metrics() -> dict[str, float]:
    content: dict[str, float] = json.loads(Path("metrics/validate.json").read_text("utf-8"))
    return content


def darken(count: int) -> None:
    index = pd.read_parquet("data/frames/index.parquet")
    index.loc[: count - 1, "brightness"] = 0.0
    index.to_parquet("data/frames/index.parquet")


def test_a_sound_data_set_leaves_data_docs_and_metrics(project: Path) -> None:
    write_dataset(project, manifest_of(grid(groups=12)))
    main()
    assert metrics()["expectations"] == metrics()["successful"] > 40
    assert metrics()["videos"] == 72
    assert metrics()["failed"] == metrics()["warnings"] == metrics()["black_clips"] == 0
    assert "expectations hold" in Path("reports/validate/index.html").read_text("utf-8")


def test_a_broken_expectation_stops_the_run_and_leaves_what_to_look_at(project: Path) -> None:
    manifest = manifest_of(grid(groups=12))
    write_dataset(project, manifest)
    darken(7)
    with pytest.raises(DataError) as error:
        main()
    text = str(error.value)
    assert text.startswith("1 of ")
    assert "Clips show something" in text
    assert "not so for 7 of 72 clips" in text
    assert "and 2 more" in text
    assert "validate.min_brightness" in text
    assert "reports/validate/index.html" in text
    assert metrics()["failed"] == 1
    assert metrics()["black_clips"] == 7
    assert "Clips show something" in Path("reports/validate/index.html").read_text("utf-8")
    page = Path("reports/data.html").read_text("utf-8")
    assert "Not fit to learn from yet: 1 expectation is broken" in page
    assert "not so for 7 of 72 clips" in page


def test_black_clips_within_the_allowed_share_are_said_and_the_run_goes_on(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_dataset(project, manifest_of(grid(groups=12)))
    darken(1)
    main()
    assert "Clips show something" in caplog.text
    assert (metrics()["warnings"], metrics()["black_clips"], metrics()["failed"]) == (1, 1, 0)


def test_the_same_data_give_the_same_bytes(project: Path) -> None:
    write_dataset(project, manifest_of(grid(groups=12)))
    main()
    written = [*Path("reports/validate").iterdir(), Path("reports/data.html")]
    first = {path: path.read_bytes() for path in written}
    main()
    assert {path: path.read_bytes() for path in written} == first


def test_what_ingest_set_aside_and_what_the_files_tell_stand_in_the_data_report(
    project: Path,
) -> None:
    manifest = manifest_of(grid(groups=12))
    manifest.loc[manifest["label"] == "wave", "fps"] = 50.0
    write_dataset(project, manifest)
    aside = "path,code,reason,remedy\nwave/x.mp4,empty,It has no bytes.,Copy it again.\n"
    Path("data/quarantine.csv").write_text(aside, encoding="utf-8")
    main()
    page = Path("reports/data.html").read_text("utf-8")
    assert "wave/x.mp4" in page
    assert "File properties give the class away, “wave” most of all" in page
    assert metrics()["told_by_files"] > 0.5 > metrics()["told_by_guessing"]
    assert metrics()["reservations"] == 3


def test_without_frames_the_stage_to_run_first_is_named(project: Path) -> None:
    with pytest.raises(DataError, match="run the stage `extract` first"):
        main()
