"""Text for a terminal. A terminal obeys escape sequences: they move its cursor, set its title, fill
its clipboard. Names and labels may hold any, so that all printed text goes through this module.
"""

from __future__ import annotations

import logging


def printable(text: str, *, lines: bool = False) -> str:
    """The text with control characters written out; with `lines`, line ends stay."""
    kept = "\n\t" if lines else ""
    return "".join(
        c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text
    )


def say(text: str) -> None:
    """Print a text that may hold names from outside."""
    print(printable(text, lines=True))


class Formatter(logging.Formatter):
    """Log lines for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without control characters."""
        return printable(super().format(record), lines=True)


def log_to_stderr(form: str, level: int) -> None:
    """Send the log of this process to stderr, each line in this format."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(form))
    logging.basicConfig(level=level, handlers=[handler], force=True)
