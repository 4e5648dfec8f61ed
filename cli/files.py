"""What the commands that take any number of files share: a file may have any name."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

# For `app.command`: a file may be called `-video.mp4`.
SETTINGS = {"ignore_unknown_options": True}


def refuse_options(files: list[str]) -> None:
    """Refuse what looks like an option and is no file: else it would be taken for one."""
    for name in files:
        if name.startswith("--") and not Path(name).exists():
            raise typer.BadParameter(f"there is neither an option nor a file {name}")


def print_any_name() -> None:
    """A file's name may be bytes that are no text: what came in goes out again."""
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]


def printable(text: str) -> str:
    """A name may hold a line end, or an escape sequence that would command the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
