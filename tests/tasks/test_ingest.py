from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from reelflow.base.errors import DataError
from reelflow.intake import quarantine
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.intake.videos_csv import write_listing
from tasks.ingest import main
from tests.conftest import ROOT, MakeVideo


@pytest.fixture
def raw(project: Path, make_video: MakeVideo) -> Path:
    root = project / "data" / "raw"
    for number, label in enumerate(("run", "sit")):
        for seed in range(3):
            make_video(root / label / f"{seed}.mp4", seed=seed + 10 * number, seconds=0.5)
    return root


def set_param(project: Path, old: str, new: str) -> None:
    params = project / "params.yaml"
    text = params.read_text(encoding="utf-8")
    assert old in text
    params.write_text(text.replace(old, new), encoding="utf-8")


def test_the_manifest_tells_what_each_video_is(raw: Path) -> None:
    main()
    manifest = pd.read_parquet("data/manifest.parquet")
    assert manifest["label"].tolist() == ["run"] * 3 + ["sit"] * 3
    assert manifest["frames"].tolist() == [5] * 6
    assert manifest["pts"].map(len).tolist() == [5] * 6
    assert manifest["hash"].str.fullmatch("[0-9a-f]{64}").all()
    assert json.loads(Path("metrics/ingest.json").read_text(encoding="utf-8"))["videos"] == 6


def test_the_same_videos_give_the_same_bytes(raw: Path) -> None:
    main()
    first = Path("data/manifest.parquet").read_bytes()
    Path(".reelflow/checks.sqlite").unlink()
    main()
    assert Path("data/manifest.parquet").read_bytes() == first


def test_garbage_in_what_was_remembered_changes_nothing(raw: Path) -> None:
    main()
    first = Path("data/manifest.parquet").read_bytes()
    Path(".reelflow/checks.sqlite").write_bytes(b"garbage" * 1000)
    Path("data/manifest.parquet").unlink()
    done = subprocess.run(
        [sys.executable, "-m", "tasks.ingest"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "set aside as .reelflow/checks.sqlite.damaged" in done.stderr
    assert Path("data/manifest.parquet").read_bytes() == first


def test_broken_files_are_listed_and_the_rest_goes_on(raw: Path, project: Path) -> None:
    set_param(project, "max_quarantined_share: 0.25", "max_quarantined_share: 0.5")
    whole = (raw / "run" / "0.mp4").read_bytes()
    broken = {
        "text.mp4": b"hello",
        "empty.mp4": b"",
        "cut.mp4": whole[:1500],
        "random.avi": os.urandom(4000),
        "half.mkv": b"\x1aE\xdf\xa3" + os.urandom(200),
    }
    for name, content in broken.items():
        (raw / "sit" / name).write_bytes(content)
    main()
    table = pd.read_csv("data/quarantine.csv")
    assert sorted(table["path"]) == sorted(f"sit/{name}" for name in broken)
    assert not table.isna().any().any()
    assert len(pd.read_parquet("data/manifest.parquet")) == 6
    assert (raw / "sit" / "text.mp4").read_bytes() == b"hello"


def test_names_that_a_spreadsheet_would_run_are_read_back_as_they_are(
    raw: Path, project: Path, make_video: MakeVideo
) -> None:
    set_param(project, "max_quarantined_share: 0.25", "max_quarantined_share: 0.5")
    evil = ["=cmd()/+a.mp4", "=cmd()/@b.mp4", "=cmd()/'=c.mp4"]
    for seed, name in enumerate(evil):
        make_video(raw / name, seed=50 + seed, seconds=0.5)
    (raw / "@bad\r.mp4").write_bytes(b"")
    videos = {path.relative_to(raw).as_posix() for path in raw.rglob("*.mp4")}
    listed = {name: LabelledVideo(name, name.split("/")[0], f"-{name}") for name in videos}
    write_listing(raw, listed, keep=False)
    main()
    assert not re.search(r"(?m)(^|,)\"?[=+@\r]", (raw / "videos.csv").read_text("utf-8"))
    manifest = pd.read_parquet("data/manifest.parquet")
    assert set(evil) < set(manifest["path"])
    assert set(manifest["group"]) == {f"-{name}" for name in videos - {"@bad\r.mp4"}}
    assert quarantine.read(Path("data/quarantine.csv"))["path"].tolist() == ["@bad\r.mp4"]
    assert Path("data/quarantine.csv").read_bytes().splitlines()[1].startswith(b"\"'@bad")


def test_too_many_broken_files_stop_the_run_but_are_listed(raw: Path) -> None:
    for number in range(3):
        (raw / "run" / f"bad{number}.mp4").write_bytes(b"%d" % number)
    with pytest.raises(DataError, match=r"3 of 9 files cannot be used \(33%; 3 unreadable\)"):
        main()
    assert len(pd.read_csv("data/quarantine.csv")) == 3
    assert not Path("data/manifest.parquet").exists()


def test_a_damaged_video_is_used_as_far_as_it_is_whole_if_the_policy_says_so(
    raw: Path, project: Path, make_video: MakeVideo, caplog: pytest.LogCaptureFixture
) -> None:
    set_param(project, "undecodable: quarantine", "undecodable: repeat_last")
    path = make_video(raw / "run" / "cut.mkv", seconds=8, size="160x120")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 97 // 100])
    main()
    manifest = pd.read_parquet("data/manifest.parquet").set_index("path")
    row = manifest.loc["run/cut.mkv"]
    assert row["frames"] == 80
    assert 72 <= row["intact"] < 80
    assert (manifest["intact"] < manifest["frames"]).sum() == 1
    metrics = json.loads(Path("metrics/ingest.json").read_text(encoding="utf-8"))
    assert metrics["repeat_last"] == 1
    assert metrics["repeated_frames"] == row["frames"] - row["intact"]
    assert "repeat_last: run/cut.mkv is damaged; frame" in caplog.text


def test_one_undecodable_video_stops_the_run_if_the_policy_says_so(
    raw: Path, project: Path
) -> None:
    set_param(project, "undecodable: quarantine", "undecodable: error")
    (raw / "run" / "bad.mp4").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"run/bad.mp4: It is text, .*ingest.undecodable is error"):
        main()
    assert len(pd.read_csv("data/quarantine.csv")) == 1
    assert not Path("data/manifest.parquet").exists()


def test_one_class_only_is_a_sentence(raw: Path) -> None:
    for path in (raw / "sit").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"one class only \(run\)"):
        main()


def test_a_class_with_too_few_videos_is_a_sentence(raw: Path) -> None:
    (raw / "sit" / "0.mp4").unlink()
    with pytest.raises(DataError, match="sit has 2; ingest.min_videos_per_class asks for 3"):
        main()


def test_as_a_program_it_fails_with_a_sentence_and_no_traceback(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tasks.ingest"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "ingest: error: data/raw is not a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_param_of_another_stage_stops_it_too(raw: Path, project: Path) -> None:
    set_param(project, "epochs: 20 ", "epochs: 0 ")
    with pytest.raises(Exception, match=r"train\.epochs"):
        main()
