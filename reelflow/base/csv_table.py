"""Tables as csv: those that people have, and our own, which people open in a spreadsheet.

Read: UTF-8 with or without a byte-order mark; commas, semicolons or tabs. Cells are texts and stay
as they are: `007` keeps its zeros, `NA` is a name. Quoted cells may hold line ends. A file that
cannot be understood is refused with the reason.

Written: a spreadsheet runs a text that begins with `=`, `+`, `-` or `@` as a formula, and a file or
a class may have any name. Such a cell is written with a `'` before it, as OWASP advises ("CSV
Injection"), and every reader here removes the `'` again. So any text comes back as it was, even one
that begins with `'=`. Numbers are not changed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from reelflow.base.errors import DataError
from reelflow.base.files import write_text

_DELIMITERS = ",;\t"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HEAD = 4096  # bytes by which a file that is no text shows itself
# Full-width signs too: spreadsheets in Japanese or Chinese read them as the others.
_FORMULA = re.compile(r"'*(?![+-]?\d+(\.\d+)?$)[=+\-@\t\r\n＝＋－＠]")


def marked(cell: Any) -> Any:
    """A cell as written: a text that a spreadsheet would run gets a `'` before it."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def unmarked(cell: Any) -> Any:
    """The true value of a cell that was written by `marked`."""
    is_marked = isinstance(cell, str) and cell[:1] == "'" and _FORMULA.match(cell)
    return cell[1:] if is_marked else cell


def csv_text(table: pd.DataFrame) -> str:
    """The table as a csv with a header, `\\n` line ends, and no cell that is a formula."""
    safe = _texts(table, marked)
    # pandas reads a bare \r as the end of a row, and Python does not quote it unless asked to.
    returns = any("\r" in str(cell) for cell in _only_texts(safe).to_numpy().ravel())
    return safe.to_csv(
        index=False,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL,
    )


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write `csv_text`, atomically."""
    write_text(path, csv_text(table))


def read_written(path: Path, **options: Any) -> pd.DataFrame:
    """A table of `write_table`, its texts as they were; `options` are those of `pandas.read_csv`.

    Raises:
        FileNotFoundError: it is not there.
    """
    return _texts(pd.read_csv(path, encoding="utf-8", **options), unmarked)


def read_cells(path: Path, **options: Any) -> pd.DataFrame:
    """A table of `write_table`, every cell as written ("NA" is a name), but an empty group is none.
    Raises as `read_written`."""
    empty = {"group": [""]}
    return read_written(path, dtype=str, keep_default_na=False, na_values=empty, **options)


def read_table(path: Path) -> pd.DataFrame:
    """The rows of a csv as strings, under the names of its first line; ours and anybody's.

    Raises:
        DataError: it cannot be opened, is not UTF-8, is empty, has a quote that never ends, a row
            with more cells than columns, or two columns of one name.
    """
    text = _text(path)
    try:
        rows = list(
            csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        )
    except csv.Error as error:
        raise DataError(f"{path} cannot be read as a csv: {error}.") from None
    if not rows or not any(rows[0]):
        raise DataError(f"{path} cannot be read as a csv: its first line names no columns.")
    header, width = [unmarked(name.strip()) for name in rows[0]], len(rows[0])
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(f"{path} has two columns of the name {twice[0]!r}. Rename one.")
    for number, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row[width:]):
            raise DataError(
                f"{path} cannot be read as a csv: row {number} has {len(row)} cells, the first "
                f"line {width}. Quote the cell that holds a separator."
            )
    cells = [[*map(unmarked, row), *[""] * width][:width] for row in rows[1:] if any(row)]
    return pd.DataFrame(cells, columns=header, dtype=object)


def _texts(table: pd.DataFrame, change: Callable[[Any], Any]) -> pd.DataFrame:
    """The table with its texts changed, those of the header too; numbers keep their type."""
    changed = {
        # With the same type: `map` would guess it, and an object may be no text in UTF-8.
        name: pd.Series([change(cell) for cell in cells], cells.index, cells.dtype)
        for name, cells in _only_texts(table).items()
    }
    return table.assign(**{str(n): cells for n, cells in changed.items()}).rename(columns=change)


def _only_texts(table: pd.DataFrame) -> pd.DataFrame:
    return table.select_dtypes(exclude=["number", "bool"])


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_HEAD)
            if b"\0" in content and content[:2] not in _UTF16:
                raise DataError(
                    f"{path} is no csv, since it is no text. Name a csv, or a folder of labelled "
                    "videos."
                )
            content += file.read()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        kind = "UTF-16" if content[:2] in _UTF16 else "WINDOWS-1252"
        raise DataError(
            f"{path} cannot be read as a csv in UTF-8 (line {line}). Save it as UTF-8, or, if it "
            f"is {kind} as it seems: `iconv -f {kind} -t UTF-8 IN > OUT`."
        ) from None


def _delimiter(text: str) -> str:
    """The delimiter that splits the first row into the most cells; a comma if none does."""
    counts = {
        mark: len(next(csv.reader(io.StringIO(text, newline=""), delimiter=mark), []))
        for mark in _DELIMITERS
    }
    return max(counts, key=lambda mark: counts[mark])
