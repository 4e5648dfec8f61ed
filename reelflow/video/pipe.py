"""A pipe to which a process that we start may write, beside its output and its complaints."""

from __future__ import annotations

import os
from contextlib import ExitStack

from reelflow.video.ffmpeg import Drain


class Pipe:
    """A pipe that is read while the process writes to `end`, its number."""

    def __init__(self, stack: ExitStack, limit: int) -> None:
        """Open it until `stack` is left; no more than `limit` bytes are kept."""
        read_end, self.end = os.pipe()
        self._open = True
        self._drain = Drain(os.fdopen(read_end, "rb"), limit, lambda: None)
        stack.callback(self.read)

    def read(self) -> bytes:
        """What was written; the process must have ended."""
        if self._open:
            os.close(self.end)
            self._open = False
        self._drain.join()
        return bytes(self._drain.kept)
