"""A csv as people have it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.base.csv_table import csv_text, read_table, read_written, write_table
from reelflow.base.errors import DataError
from tests.conftest import ROOT

# What OWASP's "CSV Injection" names, and what looks like it.
FORMULAS = [
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "=x,y", '="a"',
    "＝1", "-", "--1", "'=1", "''+x", "-rf.mp4",
]  # fmt: skip
HARMLESS = ["", "a=b", "'", "'quoted'", "NA", "007", "-1", "+2.5", "a\rb", "a\nb", "größe", " =1"]


def test_no_cell_of_what_is_written_is_a_formula_and_each_comes_back_as_it_was(
    tmp_path: Path,
) -> None:
    texts = [*FORMULAS, *HARMLESS]
    written = pd.DataFrame({"=name": texts, "shift_s": np.linspace(-1.5, 1, len(texts))})
    write_table(tmp_path / "a.csv", written)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["'=name", "shift_s"]
    # What csv programs see: nothing that begins a formula but a plain number.
    seen = [cell for row in rows[1:] for cell in row]
    assert not [c for c in seen if c[:1] in tuple("=+-@\t\r\n＝") and not _is_number(c)]
    assert float(rows[1][1]) == -1.5
    kept = read_written(tmp_path / "a.csv", dtype={"'=name": str}, keep_default_na=False)
    pd.testing.assert_frame_equal(kept, written, check_dtype=False)
    assert read_table(tmp_path / "a.csv")["=name"].tolist() == texts


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?", cell) is not None


def test_numbers_keep_their_digits_and_plain_texts_their_bytes() -> None:
    table = pd.DataFrame({"a": ["x"], "b": np.array([0.1], np.float32), "c": [-3], "d": [True]})
    assert csv_text(table) == "a,b,c,d\nx,0.1,-3,True\n"
    assert csv_text(table) == table.to_csv(index=False, lineterminator="\n")


def test_every_table_of_the_project_is_written_and_read_by_these_functions() -> None:
    """A new csv cannot forget the marks."""
    where = [
        p for floor in ("cli", "flows", "tasks", "reelflow") for p in (ROOT / floor).rglob("*.py")
    ]
    found = {
        f"{path.relative_to(ROOT)}: {call}"
        for path in where
        for call in re.findall(r"to_csv\(|csv\.writer\(|DictWriter\(", path.read_text("utf-8"))
    }
    assert found == {"reelflow/base/csv_table.py: to_csv("}


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
        (b"\0\0\0 ftypisom", "no csv, since it is no text"),
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
