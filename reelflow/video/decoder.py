"""Frames of many short videos from one process that stays (`reelflow.video.libav`).

The same frames as `reelflow.video.decode` gives, or none: what this does not take on, and whatever
goes wrong here, is left to ffmpeg, which also knows the sentence for it.
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
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelflow.video.decode import filters_of
from reelflow.video.ffmpeg import Bounds, start
from reelflow.video.libav import DONE, MOST_ASKED
from reelflow.video.source import confined, opened
from reelflow.video.wanted import Wanted

# Codecs in which nothing after a key frame refers to what is before it. In others a container may
# flag pictures as such from which a decoder only recovers in time.
_ALONE = (
    "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "mpeg1video", "mpeg2video", "h263", "flv", "wmv1",
    "wmv2", "mjpeg", "vp8", "vp9",
)  # fmt: skip
_CODECS = (*_ALONE, "h264", "hevc")
# The packets of a video are in memory all at once.
_MOST_BYTES = 64 << 20
# A process that was lost so often is not started again.
_MOST_LOST = 3


class Decoder:
    """A process that decodes, started when it is first asked."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._bounds = Bounds()
        self._lost = 0

    def decode(self, wanted: Wanted, bounds: Bounds) -> NDArray[np.uint8] | None:
        """The wanted frames, uint8 (K, *wanted.size, 3), or None: ask `reelflow.video.decode`.

        Args:
            wanted: of a video that `takes`.
            bounds: limits of the process; the time is that of this video.

        Raises:
            VideoError: as `opened`.
        """
        if self._lost >= _MOST_LOST:
            return None
        if self._process is None or self._bounds.memory_mb != bounds.memory_mb:
            self.close()
            self._start(bounds)
        times = np.concatenate([wanted.times, wanted.times[wanted.indices]]).astype(np.int64)
        shape = (len(wanted.indices), *wanted.size, 3)
        with ExitStack() as stack:
            video = stack.enter_context(opened(wanted.path))
            memory = os.memfd_create("frames", os.MFD_CLOEXEC)
            stack.callback(os.close, memory)
            size = times.nbytes + math.prod(shape)
            os.ftruncate(memory, size)
            room = mmap.mmap(memory, size)
            np.frombuffer(room, np.int64, len(times))[:] = times
            if self._ask(_request(wanted, bounds), [video, memory], bounds.timeout_s) != DONE:
                return None
        # The array keeps the memory alive.
        return np.frombuffer(room, np.uint8, offset=times.nbytes).reshape(shape)

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
        program = str(Path(__file__).with_name("libav.py"))
        with theirs:
            self._process = start(
                [sys.executable, "-I", "-B", program],
                bounds.memory_mb,
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def _ask(self, request: bytes, descriptors: list[int], seconds: float) -> bytes:
        assert self._socket is not None
        if len(request) > MOST_ASKED:
            return b""
        answer = b""
        try:
            socket.send_fds(self._socket, [request], descriptors)
            if select.select([self._socket], [], [], seconds)[0]:
                answer = self._socket.recv(len(DONE))
        except OSError:
            answer = b""  # the process is gone
        if not answer:
            self._lost += 1
            self.close()
        return answer


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
    chosen, *filters = filters_of(wanted)
    assert chosen.startswith("select="), "frames are chosen by their times here"
    return json.dumps(
        {
            "options": options,
            "stream": info.stream,
            "alone": info.codec in _ALONE,
            "frames": len(wanted.times),
            "wanted": len(wanted.indices),
            "filters": filters,
            "width": width,
            "height": height,
            "seconds": int(bounds.timeout_s) + 1,
        }
    ).encode()
