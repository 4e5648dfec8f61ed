"""Other processes that a test looks for or waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import psutil


def family(pid: int, sign: str) -> list[psutil.Process]:
    """Processes under this one whose command line has a word."""
    found = []
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            # A decoder that ends while it is looked at must not hide those that stay.
            with suppress(psutil.NoSuchProcess):
                if sign in " ".join(child.cmdline()):
                    found.append(child)
    return found


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 900
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
