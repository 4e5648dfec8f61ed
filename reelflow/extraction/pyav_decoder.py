"""Frames of many short videos from one process that stays (`reelflow.extraction.pyav_process`).

The same frames as `reelflow.extraction.ffmpeg_decoder` gives, or none: what this does not take on,
and whatever goes wrong here, is left to ffmpeg, which also knows the sentence for it.
"""

from __future__ import annotations

import atexit
import json
import math
import mmap
import os
import select
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import VideoError
from reelflow.extraction.ffmpeg_decoder import filters_of
from reelflow.extraction.pyav_process import DONE, MOST_ASKED
from reelflow.extraction.wanted_frames import Wanted
from reelflow.video.allowed_formats import confined
from reelflow.video.open_safely import opened
from reelflow.video.process_limits import Bounds, start

_CODECS = (
    "h264", "hevc", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "mpeg1video", "mpeg2video",
    "h263", "flv", "wmv1", "wmv2", "mjpeg", "vp8", "vp9",
)  # fmt: skip
# The packets of a video are in memory all at once.
_MOST_BYTES = 64 << 20
# A process that was lost so often is not started again.
_MOST_LOST = 3


# A process that was asked, where its answer will lie, and the seconds that it may take.
_Asked = tuple[subprocess.Popen[bytes] | None, NDArray[np.uint8], float]


class Decoder:
    """A process that decodes, started when it is first asked."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._bounds = Bounds()
        self._lost = 0

    def decode(
        self, many: Iterable[Wanted], bounds: Bounds
    ) -> Generator[NDArray[np.uint8] | VideoError | None, None, None]:
        """Decode videos one after the other.

        Args:
            many: of videos that `takes`.
            bounds: limits of the process; the time is that of each video.

        Yields:
            for each, in order, the wanted frames, uint8 (K, *wanted.size, 3), or what `opened`
            raises for it, or None: ask `reelflow.extraction.ffmpeg_decoder`.
        """
        waiting: deque[_Asked | VideoError] = deque()
        try:
            for wanted in many:
                waiting.append(self._ask(wanted, bounds))
                # One is decoded while the frames of the one before are taken.
                if len(waiting) > 1:
                    yield self._first(waiting)
            while waiting:
                yield self._first(waiting)
        finally:
            if waiting:
                self.close()  # nobody waits for these answers, and nobody else is to get them

    def _ask(self, wanted: Wanted, bounds: Bounds) -> _Asked | VideoError:
        times = np.concatenate([wanted.times, wanted.times[wanted.indices]]).astype(np.int64)
        shape = (len(wanted.indices), *wanted.size, 3)
        size = times.nbytes + math.prod(shape)
        with ExitStack() as stack:
            try:
                video = stack.enter_context(opened(wanted.path))
            except VideoError as error:
                return error
            memory = os.memfd_create("frames", os.MFD_CLOEXEC)
            stack.callback(os.close, memory)
            os.ftruncate(memory, size)
            room = mmap.mmap(memory, size)
            np.frombuffer(room, np.int64, len(times))[:] = times
            process = self._send(_request(wanted, bounds), [video, memory], bounds)
        # The array keeps the memory alive.
        frames = np.frombuffer(room, np.uint8, offset=times.nbytes).reshape(shape)
        return process, frames, bounds.timeout_s

    def _first(self, waiting: deque[_Asked | VideoError]) -> NDArray[np.uint8] | VideoError | None:
        """Wait for the first answer; only once it is there is it no longer waited for."""
        asked = waiting[0]
        found = asked if isinstance(asked, VideoError) else self._answer(*asked)
        waiting.popleft()
        return found

    def _answer(
        self, process: subprocess.Popen[bytes] | None, frames: NDArray[np.uint8], seconds: float
    ) -> NDArray[np.uint8] | None:
        if process is None or process is not self._process or self._socket is None:
            return None  # lost, and with it all that it was asked for
        try:
            there = select.select([self._socket], [], [], seconds)[0]
            answer = self._socket.recv(len(DONE)) if there else b""
        except OSError:
            answer = b""
        if not answer:
            self._lost += 1
            self.close()
        return frames if answer == DONE else None

    def close(self) -> None:
        """End the process."""
        if self._process is None or self._socket is None:
            return
        self._socket.close()
        self._process.kill()
        self._process.wait()
        self._process = self._socket = None

    def _start(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = str(Path(__file__).with_name("pyav_process.py"))
        with theirs:
            self._process = start(
                [sys.executable, "-I", "-B", program],
                bounds.memory_mb,
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def _send(
        self, request: bytes, descriptors: list[int], bounds: Bounds
    ) -> subprocess.Popen[bytes] | None:
        """Send a request; return the process that has it, if there is one."""
        if self._lost >= _MOST_LOST or len(request) > MOST_ASKED:
            return None
        if self._socket is None or self._bounds.memory_mb != bounds.memory_mb:
            self.close()
            self._start(bounds)
        assert self._socket is not None
        # If it is gone, or dies of this, `_answer` will see.
        with suppress(OSError):
            socket.send_fds(self._socket, [request], descriptors)
        return self._process


def takes(wanted: Wanted) -> bool:
    """Whether a `Decoder` may be asked for it: whole, upright, of a usual codec."""
    info = wanted.info
    return (
        info.codec in _CODECS
        and info.intact == info.frames == len(wanted.times)
        and info.rotation == 0
        and info.bytes <= _MOST_BYTES
    )


def decoder() -> Decoder:
    """That of this thread."""
    # A process may be forked, and its memory copied, but not its decoder.
    if getattr(_OWN, "process", None) != os.getpid():
        _OWN.process, _OWN.decoder = os.getpid(), Decoder()
        atexit.register(_OWN.decoder.close)
    own: Decoder = _OWN.decoder
    return own


_OWN = threading.local()


def _request(wanted: Wanted, bounds: Bounds) -> bytes:
    info, (height, width) = wanted.info, wanted.size
    options = {name: str(value) for name, value in confined(-1).items()}
    return json.dumps(
        {
            "options": options,
            "stream": info.stream,
            "codec": info.codec,
            "frames": len(wanted.times),
            "wanted": len(wanted.indices),
            "filters": filters_of(wanted),
            "width": width,
            "height": height,
            "seconds": int(bounds.timeout_s) + 1,
        }
    ).encode()
