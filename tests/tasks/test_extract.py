from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from reelflow.base.errors import DataError, ParamsError
from reelflow.store.frame_store import FrameStore
from tasks import extract, ingest
from tests.conftest import MakeVideo
from tests.dataset import grid, manifest_of, write_dataset


def test_the_stage_fills_the_store_with_the_frames_asked_for_in_params(
    project: Path, make_video: MakeVideo
) -> None:
    for number, label in enumerate(("run", "sit")):
        for seed in range(3):
            path = project / "data" / "raw" / label / f"{seed}.mp4"
            make_video(path, seed=seed + 10 * number, seconds=0.5)
    ingest.main()
    extract.main()
    store = FrameStore(Path("data/frames"))
    assert len(store.index) == 6
    for digest in store.index["hash"]:
        assert store.frames(str(digest)).shape == (16, 64, 64, 3)
    metrics = json.loads(Path("metrics/extract.json").read_text(encoding="utf-8"))
    # Five frames give sixteen by repeating eleven, which is said and not hidden.
    assert metrics["repeated_frames"] == 6 * 11


def test_the_end_that_a_damaged_video_lacks_is_its_last_whole_frame(
    project: Path, make_video: MakeVideo
) -> None:
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(text.replace("undecodable: quarantine", "undecodable: repeat_last"), "utf-8")
    for number, label in enumerate(("run", "sit")):
        for seed in range(3):
            path = project / "data" / "raw" / label / f"{seed}.mp4"
            make_video(path, seed=seed + 10 * number, seconds=0.5)
    cut = make_video(project / "data/raw/run/cut.mkv", seconds=8, size="160x120")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 97 // 100])
    ingest.main()
    extract.main()
    row = pd.read_parquet("data/manifest.parquet").set_index("path").loc["run/cut.mkv"]
    store = FrameStore(Path("data/frames"))
    frames = store.frames(row["hash"])
    times = store.index.loc[row["hash"], "timestamps"]
    last = row["pts"][row["intact"] - 1] / 1000
    # Sixteen places over eight seconds, the last of which is lost.
    assert times[-1] == pytest.approx(last)
    assert times[-2] < times[-1] < 7.75
    assert frames.shape == (16, 64, 64, 3)
    assert frames[-1].any()


def test_without_a_manifest_the_stage_to_run_first_is_named(project: Path) -> None:
    with pytest.raises(DataError, match=r"data/manifest\.parquet is missing: run .*`ingest`"):
        extract.main()


def test_dask_that_is_not_installed_is_a_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("engine: local ", "engine: dask "))
    write_dataset(project, manifest_of(grid()))
    monkeypatch.delitem(sys.modules, "reelflow.extraction.dask_engine", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ParamsError, match="distributed is not installed here"):
        extract.main()
