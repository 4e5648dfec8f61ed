"""A csv as people have it: UTF-8 with or without a byte-order mark; commas, semicolons or tabs.

Cells are texts and stay as they are: `007` keeps its zeros, `NA` is a name. Quoted cells may hold
line ends. What cannot be understood is refused in a sentence, never guessed at.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from reelflow.errors import DataError

_DELIMITERS = ",;\t"


def read_table(path: Path) -> pd.DataFrame:
    """The rows of a csv as strings, under the names of its first line.

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
    header, width = [name.strip() for name in rows[0]], len(rows[0])
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(f"{path} has two columns of the name {twice[0]!r}. Rename one.")
    for number, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row[width:]):
            raise DataError(
                f"{path} cannot be read as a csv: row {number} has {len(row)} cells, the first "
                f"line {width}. Quote the cell that holds a separator."
            )
    cells = [(row + [""] * width)[:width] for row in rows[1:] if any(row)]
    return pd.DataFrame(cells, columns=header, dtype=object)


def nearest(name: str, names: Iterable[str]) -> str:
    """`, did you mean 'x'?` where one of `names` is like `name`, else nothing."""
    folded = {known.casefold(): known for known in names}
    found = difflib.get_close_matches(name.casefold(), folded, 1, cutoff=0.5)
    return f"; did you mean {folded[found[0]]!r}?" if found else ""


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        kind = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "WINDOWS-1252"
        raise DataError(
            f"{path} cannot be read as a csv in UTF-8 (line {line}). Save it as UTF-8, or, if it "
            f"is {kind} as it seems: `iconv -f {kind} -t UTF-8 IN > OUT`."
        ) from None


def _delimiter(text: str) -> str:
    """What parts the first row into the most cells; a comma if nothing does."""
    counts = {
        mark: len(next(csv.reader(io.StringIO(text, newline=""), delimiter=mark), []))
        for mark in _DELIMITERS
    }
    return max(counts, key=lambda mark: counts[mark])
