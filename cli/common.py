"""What several commands share: options, names of files, params, tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reelflow.base.files import visible_files
from reelflow.base.terminal import printable
from tasks.common.paths import PARAMS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Data = Annotated[
    Path | None, typer.Option(help="Labelled videos, as for `reelflow run`; by default data/raw.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Model = Annotated[
    str,
    typer.Option(
        help="models:/NAME@ALIAS, models:/NAME/VERSION, or a folder that holds a model.",
        show_default="the champion of the project",
    ),
]
Videos = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="Video files, or folders of them.")
]

_LISTS = (".csv", ".json")  # lists of videos, not videos

# For `app.command`: a file may be called `-video.mp4`.
SETTINGS = {"ignore_unknown_options": True}


def refuse_options(files: list[str]) -> None:
    """Refuse a name that looks like an option and is no file."""
    for name in files:
        if name.startswith("--") and not Path(name).exists():
            raise typer.BadParameter(f"there is neither an option nor a file {name}")


def with_folders(names: list[str]) -> list[str]:
    """Replace each folder by the files below it, without hidden ones and lists of videos. A name
    that looks like an option and is no file is refused."""
    refuse_options(names)
    found: list[str] = []
    for name in names:
        below = [name]
        if Path(name).is_dir():
            paths = (Path(name, path) for path in visible_files(Path(name)))
            below = sorted(str(p) for p in paths if p.suffix.lower() not in _LISTS and p.is_file())
        if not below:
            raise typer.BadParameter(f"the folder {printable(name)} holds no files")
        found += below
    return found


def model_here(model: str) -> str:
    """The model that is named; by default the champion of the project."""
    from reelflow.params import section_or_defaults
    from reelflow.params.register import RegisterParams

    return model or f"models:/{section_or_defaults(PARAMS, RegisterParams).name}@champion"


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
