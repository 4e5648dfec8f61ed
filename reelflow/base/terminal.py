"""Text for a terminal. Names and labels come from anywhere, and a terminal obeys what it is shown:
escape sequences move its cursor, set its title, fill its clipboard. So whatever is printed goes
through here, where it leaves a process of ours.
"""

from __future__ import annotations

import logging


def printable(text: str, *, lines: bool = False) -> str:
    """The text with all that a terminal would obey written out; with `lines`, line ends stay."""
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
        """The line, harmless."""
        return printable(super().format(record), lines=True)


def log_to_stderr(form: str, level: int) -> None:
    """Let the log of this process go to stderr, each line in this form."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter(form))
    logging.basicConfig(level=level, handlers=[handler], force=True)
