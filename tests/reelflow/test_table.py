"""A csv as people have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelflow.errors import DataError
from reelflow.table import nearest, read_table


def table(tmp_path: Path, content: str | bytes) -> list[dict[str, str]]:
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows: list[dict[str, str]] = read_table(path).to_dict("records")
    return rows


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_byte_order_marks_and_line_ends_of_any_program(
    tmp_path: Path, mark: str, bom: bytes, end: str
) -> None:
    text = f"path{mark}label{end}a.mp4{mark}Katze, groß{end}".replace(
        "Katze, groß", '"Katze, groß"'
    )
    assert table(tmp_path, bom + text.encode()) == [{"path": "a.mp4", "label": "Katze, groß"}]


def test_cells_stay_texts_and_quoted_ones_may_hold_line_ends(tmp_path: Path) -> None:
    text = 'path,label,note\n007,NA,"two\nlines; ""quoted"""\n\n1e3,None\n'
    assert table(tmp_path, text) == [
        {"path": "007", "label": "NA", "note": 'two\nlines; "quoted"'},
        {"path": "1e3", "label": "None", "note": ""},
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"path,label\na.mp4,gro\xdf\n", "in UTF-8 (line 2)"),
        ("path,label\na.mp4,x\n".encode("utf-16"), "UTF-16"),
        (b"", "first line names no columns"),
        (b"path,label\na.mp4,x,y\n", "row 2 has 3 cells, the first line 2"),
        (b'path,label\n"a.mp4,x\n', "cannot be read as a csv"),
        (b"path,path\na,b\n", "two columns of the name 'path'"),
    ],
)
def test_what_cannot_be_understood_is_a_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(DataError) as error:
        table(tmp_path, content)
    assert says in str(error.value)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_table(tmp_path / "absent.csv")


def test_a_name_like_the_one_that_is_sought_is_offered() -> None:
    assert nearest("specis", ["station", "Species"]) == "; did you mean 'Species'?"
    assert nearest("xyz", ["station", "Species"]) == ""
