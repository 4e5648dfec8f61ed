from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from reelflow.base.errors import DataError
from reelflow.dataset.split_ledger import COLUMNS, Ledger

ODD = ["NA", "nan", "a,b", 'say "x"', "", "Ärger"]


def rows(*splits: str, hashes: str = "cab") -> pd.DataFrame:
    values = [(h, f"x/{h}.mp4", "x", "g", split) for h, split in zip(hashes, splits, strict=True)]
    return pd.DataFrame(values, columns=COLUMNS, dtype=str)


def test_a_ledger_is_sorted_by_hash_and_reads_back_as_it_was(tmp_path: Path) -> None:
    videos = pd.DataFrame(
        {
            "hash": [str(9 - i) for i in range(len(ODD))],
            "path": [f"{name}/1.mp4" for name in ODD],
            "label": ODD,
            "group": ODD[::-1],
            "split": "train",
        },
        dtype=str,
    )
    ledger = Ledger.read(tmp_path / "ledger.csv").updated(videos)
    ledger.write()
    again = Ledger.read(tmp_path / "ledger.csv").rows
    assert again["hash"].is_monotonic_increasing
    assert again.to_numpy().tolist() == videos.sort_values("hash").to_numpy().tolist()


def test_videos_that_are_gone_stay_in_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    former = Ledger(path, rows("train", "test", "train"))
    now = former.updated(rows("validation", hashes="d"))
    assert now.splits() == {"a": "test", "b": "train", "c": "train", "d": "validation"}


def test_a_group_is_remembered_where_most_of_its_videos_were(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.csv", rows("test", "train", "test"))
    assert ledger.group_splits() == {"g": "test"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "No columns"),
        ("hash,path,label,group\na,b,c,d\n", "its columns are hash, path, label, group"),
        ("hash,path,label,group,split\na,b,c,d,dev\n", "'a' has 'dev'"),
        ("hash,path,label,group,split\na,b,c,d,train\na,b,c,d,test\n", "it names a twice"),
        ("hash,path,label,group,split\n<<<<<<< HEAD\na,b,c,d,train\n", "has ''"),
        ('hash,path,label,group,split\na,b,c,"d,train\n', "EOF inside string"),
    ],
)
def test_a_ledger_that_is_damaged_or_half_merged_is_refused(
    tmp_path: Path, text: str, fault: str
) -> None:
    path = tmp_path / "ledger.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        Ledger.read(path)
    assert fault in str(error.value)
    assert "Restore the file" in str(error.value)
