"""Writing the sample: other files in the way, settings, faults."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cli.main import app
from reelflow.base.errors import DataError
from reelflow.sample import write_sample
from reelflow.sample.encode import FORMATS, encode
from tests.reelflow.sample.test_sample import SMALL, contents


def test_a_folder_with_other_files_is_refused_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "holiday.mp4").write_bytes(b"mine")
    with pytest.raises(DataError, match="is no empty folder; nothing was written"):
        write_sample(tmp_path, **SMALL)
    assert contents(tmp_path) == {"holiday.mp4": b"mine"}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file")
    with pytest.raises(DataError, match="is no empty folder"):
        write_sample(tmp_path / "raw", **SMALL)


def test_the_true_boxes_stand_beside_the_videos(sample: Path) -> None:
    with (sample / "boxes.csv").open(newline="") as file:
        assert next(csv.reader(file)) == ["path", "frame", "x", "y", "width", "height"]


def test_a_full_disk_is_an_error_of_the_disk() -> None:
    form = next(form for form in FORMATS if form.muxer == "mpegts")
    frames = np.zeros((4, 16, 16, 3), np.uint8)
    with pytest.raises(OSError, match="No space left on device"):
        encode(frames, Path("/dev/full"), form, "10")


def test_what_cannot_be_encoded_is_said_with_the_file_and_the_format(tmp_path: Path) -> None:
    frames = np.zeros((4, 15, 15, 3), np.uint8)
    with pytest.raises(DataError, match=r"odd\.mp4: .*width not divisible"):
        encode(frames, tmp_path / "odd.mp4", FORMATS[0], "10")


def test_a_sample_apart_has_its_split_and_its_folder_is_not_written_again(tmp_path: Path) -> None:
    root = tmp_path / "apart"
    command = ["sample", str(root), "--apart", "--clips-per-class", "4"]
    found = CliRunner().invoke(app, command)
    assert "24 videos of 6 classes in 24 groups" in found.output
    table = pd.read_csv(root / "videos.csv")
    assert table.groupby("group")["label"].nunique().max() == 1
    assert table.groupby("split")["group"].nunique().to_dict() == {"test": 6, "train": 18}
    again = CliRunner().invoke(app, command)
    assert isinstance(again.exception, DataError)
    assert "is no empty folder" in str(again.exception)
