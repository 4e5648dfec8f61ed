"""What the commands that take any number of files share: names, params, tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from reelflow.base.terminal import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from reelflow.base.section import Section

S = TypeVar("S", bound="Section")

_LISTS = (".csv", ".json")  # lists of videos, not videos

# For `app.command`: a file may be called `-video.mp4`.
SETTINGS = {"ignore_unknown_options": True}


def refuse_options(files: list[str]) -> None:
    """Refuse a name that looks like an option and is no file."""
    for name in files:
        if name.startswith("--") and not Path(name).exists():
            raise typer.BadParameter(f"there is neither an option nor a file {name}")


def with_folders(names: list[str]) -> list[str]:
    """Replace each folder by the files below it, without hidden ones and lists of videos."""
    found: list[str] = []
    for name in names:
        below = sorted(_files_below(name)) if Path(name).is_dir() else [name]
        if not below:
            raise typer.BadParameter(f"the folder {printable(name)} holds no files")
        found += below
    return found


def _files_below(root: str) -> Iterator[str]:
    for folder, inner, names in os.walk(root):
        inner[:] = [name for name in inner if name[0] != "."]
        paths = [Path(folder, name) for name in names if name[0] != "."]
        yield from (str(p) for p in paths if p.suffix.lower() not in _LISTS and p.is_file())


def section_here(section: type[S]) -> S:
    """A section of the params of the project in the current folder; elsewhere, the defaults."""
    from reelflow.params import load_section

    params = Path("params.yaml")
    return load_section(params, section) if params.exists() else section.model_validate({})


def new_table() -> Table:
    """A table without lines."""
    from rich.table import Table

    return Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))


def wide_console() -> Console:
    """A console that folds lines to the width of a screen only where there is a screen."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 100_000)


def print_any_name() -> None:
    """Print names of files that are not text as the bytes that they are."""
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
