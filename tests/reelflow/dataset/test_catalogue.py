from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from reelflow.base.errors import DataError
from reelflow.dataset import catalogue as module
from reelflow.dataset.catalogue import Catalogue, catalogue
from reelflow.dataset.check_cache import CheckCache
from reelflow.intake.read_folder_or_csv import list_videos
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo


@pytest.fixture
def raw(tmp_path: Path, make_video: MakeVideo) -> Path:
    root = tmp_path / "raw"
    for label in ("run", "sit"):
        for seed in range(2):
            make_video(root / label / f"{seed}.mp4", seed=seed + 10 * (label == "sit"))
    return root


def look(raw: Path) -> Catalogue:
    with CheckCache(raw.parent / "checks.sqlite") as cache:
        return catalogue(raw, list_videos(raw), Bounds(), 2, cache)


def test_every_file_stands_in_one_table_once(raw: Path) -> None:
    (raw / "run" / "bad.mp4").write_bytes(b"no video")
    shutil.copy(raw / "run" / "0.mp4", raw / "run" / "copy.mp4")
    found = look(raw)
    assert found.manifest["path"].tolist() == ["run/0.mp4", "run/1.mp4", "sit/0.mp4", "sit/1.mp4"]
    assert found.quarantine[["path", "code"]].to_numpy().tolist() == [
        ["run/bad.mp4", "unreadable"],
        ["run/copy.mp4", "duplicate"],
    ]
    assert found.manifest["duplicates"].tolist() == [1, 0, 0, 0]
    assert len(found.bad) == 1


def test_the_same_bytes_under_two_labels_are_refused_naming_both(raw: Path) -> None:
    shutil.copy(raw / "run" / "0.mp4", raw / "sit" / "copy.mp4")
    with pytest.raises(DataError, match=r"run/0\.mp4 \(run\) and sit/copy\.mp4 \(sit\)"):
        look(raw)


def test_nothing_is_decoded_twice(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = look(raw)
    (raw / "run" / "0.mp4").rename(raw / "run" / "renamed.mp4")
    monkeypatch.setattr(module, "check_one", lambda *_: pytest.fail("a known video was decoded"))
    again = look(raw)
    assert sorted(again.manifest["hash"]) == sorted(first.manifest["hash"])
    assert again.manifest["pts"].map(list).tolist() == first.manifest["pts"].map(list).tolist()


def test_a_name_that_is_no_utf8_is_set_aside(raw: Path) -> None:
    shutil.copy(raw / "run" / "0.mp4", os.fsencode(raw / "run") + b"/\xff.mp4")
    found = look(raw)
    assert found.quarantine["code"].tolist() == ["name"]
    assert found.quarantine["path"].tolist() == ["run/\\udcff.mp4"]
