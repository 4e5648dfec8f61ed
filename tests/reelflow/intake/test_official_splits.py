"""Official splits that come as lists of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelflow.base.errors import DataError
from reelflow.intake.official_splits import read_split_lists

PATHS = ["hop/a 1.avi", "hop/b.avi", "sit/b.avi", "sit/c.avi"]


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_lists_by_split_and_lists_with_codes(tmp_path: Path) -> None:
    train = write(tmp_path / "train01.txt", "hop/b.avi 1\r\nsit\\b.avi 2\n\n")
    test = write(tmp_path / "test01.txt", "hop/a 1.avi\nc.avi\ngone.avi\n")
    found, unmatched = read_split_lists([f"train={train}", f"test={test}"], PATHS)
    assert found == {
        "hop/b.avi": "train",
        "sit/b.avi": "train",
        "hop/a 1.avi": "test",
        "sit/c.avi": "test",
    }
    assert unmatched == ["gone.avi"]


def test_a_name_that_two_classes_have_is_that_of_the_class_of_the_list(tmp_path: Path) -> None:
    write(tmp_path / "hop_test_split1.txt", "b.avi 1 \na 1.avi 2 \n")
    write(tmp_path / "sit_test_split1.txt", "b.avi 2 \nc.avi 0 \n")
    write(tmp_path / "sit_test_split2.txt", "b.avi 1 \n")
    found, _ = read_split_lists([f"{tmp_path}/*_split1.txt"], PATHS)
    assert found["hop/b.avi"] == "1"
    assert found["sit/b.avi"] == "2"
    assert found["sit/c.avi"] == "0"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("b.avi 1\n", r"line 1 may mean 'hop/b.avi', 'sit/b.avi'"),
        ("c.avi\n", r"line 1 has no code behind 'c.avi'. Name a split: train="),
        ("c.avi 1\nsit/c.avi 2\n", r"line 2 puts sit/c.avi into '2', another line into '1'"),
        ("other.avi 1\n", r"names no video that is there \('other.avi'\)"),
    ],
)
def test_a_list_that_cannot_be_used_is_a_sentence(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_split_lists([write(tmp_path / "list.txt", text)], PATHS)


def test_a_list_that_is_not_there_or_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        read_split_lists([f"{tmp_path}/*.txt"], PATHS)
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="cannot be read as a list in UTF-8"):
        read_split_lists([f"{tmp_path}/b.txt"], PATHS)
