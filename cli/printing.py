"""What several commands print: tables, and names of files that are not text."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from reelflow.base.terminal import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def show_table(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[str | Text]]) -> Console:
    """Print a table without lines; returns the console, for what stands below it.

    Args:
        columns: the name of each, and `left`, `right`, or `fold` for long names.
        rows: a cell a column.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name, how in columns:
        side: Literal["left", "right"] = "right" if how == "right" else "left"
        table.add_column(
            Text(printable(name)), justify=side, overflow="fold" if how == "fold" else "ellipsis"
        )
    for row in rows:
        table.add_row(*(Text(printable(c)) if isinstance(c, str) else c for c in row))
    # Lines are folded to the width of a screen only where there is a screen.
    console = Console(
        highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 100_000
    )
    console.print(table)
    return console


def print_any_name() -> None:
    """Print names of files that are not text as the bytes that they are."""
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
