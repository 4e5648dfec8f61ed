"""Progress of long work: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

_SECONDS_BETWEEN_LINES = 10.0

log = logging.getLogger(__name__)


def track(
    items: Iterable[Item], total: int, what: str, *, last_line: bool = True
) -> Iterator[Item]:
    """Yield `items`, showing how many of `total` are done, and how long the rest will take.

    Args:
        items: any iterable; an item counts as done when the next one is asked for.
        total: how many there will be.
        what: the work in a word or two, e.g. `checking videos`.
        last_line: whether a log gets a line at the end, too.
    """
    if sys.stderr.isatty():
        return _bar(items, total, what)
    return _lines(items, total, what, last_line)


def _bar(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(items, total, description=what)


def _lines(items: Iterable[Item], total: int, what: str, last_line: bool) -> Iterator[Item]:
    started = last = time.monotonic()
    done = 0
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES:
            last = now
            rate = done / (now - started)
            left = (total - done) / rate
            log.info("%s: %d of %d, %.1f/s, %.0f s left", what, done, total, rate, left)
    if last_line and done:
        seconds = time.monotonic() - started
        log.info("%s: %d done in %.1f s", what, done, seconds)
