"""Pipes that processes of ours write to, read in threads so that none ever blocks."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO

# The first complaints matter; a damaged file can repeat them for hours.
STDERR_LIMIT = 256 * 1024
# Sound and subtitles are not decoded; each of their packets may be complained of.
_REFUSED_DECODER = re.compile(rb"Codec \([^)]*\) not on whitelist")


class Drain(threading.Thread):
    """Reads a pipe to its end and keeps the first `limit` bytes, or the last, so that no pipe ever
    blocks.

    Attributes:
        kept: what was read.
        lines: how many lines were read.
        overflow: whether there was more than the first `limit`; then `stop` was called.
    """

    def __init__(
        self, pipe: IO[bytes], limit: int, stop: Callable[[], None], *, last: bool = False
    ) -> None:
        super().__init__(daemon=True)
        self.kept = bytearray()
        self.lines = 0
        self.overflow = False
        self._pipe = pipe
        self._limit = limit
        self._stop_writer = stop
        self._last = last
        self.start()

    def run(self) -> None:
        with self._pipe:
            while block := os.read(self._pipe.fileno(), 1 << 20):
                self.lines += block.count(b"\n")
                if self._last:
                    self.kept = (self.kept + block)[-self._limit :]
                    continue
                room = self._limit - len(self.kept)
                self.kept += block[:room]
                if len(block) > room:
                    self.overflow = True
                    self._stop_writer()


class Complaints(Drain):
    """Reads the complaints of a process and keeps the first lines that match `listen_for`; none
    about decoders that are not allowed, because a long film has enough of them to hide a damaged
    picture."""

    def __init__(self, pipe: IO[bytes], listen_for: bytes) -> None:
        self._wanted = re.compile(listen_for)
        super().__init__(pipe, STDERR_LIMIT, lambda: None)

    def run(self) -> None:
        with self._pipe:
            while line := self._pipe.readline(STDERR_LIMIT):
                if self._wanted.search(line) and not _REFUSED_DECODER.search(line):
                    self.kept += line[: STDERR_LIMIT - len(self.kept)]


class Pipe:
    """A pipe to which a process may write, beside its output and its complaints; it is read while
    the process writes to `end`, its number."""

    def __init__(self, stack: ExitStack, limit: int, *, last: bool = False) -> None:
        """Open it until `stack` is left; the first, or the last, `limit` bytes are kept."""
        read_end, self.end = os.pipe()
        self._open = True
        self._drain = Drain(os.fdopen(read_end, "rb"), limit, lambda: None, last=last)
        stack.callback(self.read)

    def read(self) -> bytes:
        """What was written; the process must have ended."""
        if self._open:
            os.close(self.end)
            self._open = False
        self._drain.join()
        return bytes(self._drain.kept)
