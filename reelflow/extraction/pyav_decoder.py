"""Frames of many short videos from one process that stays (`reelflow.extraction.pyav_process`).

It gives the same frames as `reelflow.extraction.ffmpeg_decoder`, or none. It leaves to ffmpeg what
it does not take on and whatever goes wrong here; ffmpeg also gives the reason.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelflow.extraction.pyav_process import DONE, MOST_ASKED
from reelflow.extraction.scale_and_crop import filters_of
from reelflow.extraction.wanted_frames import Wanted
from reelflow.video.allowed_formats import confined
from reelflow.video.frame_times import is_rising
from reelflow.video.open_safely import opened
from reelflow.video.process_limits import Bounds, start

_CODECS = (
    "h264", "hevc", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "mpeg1video", "mpeg2video",
    "h263", "flv", "wmv1", "wmv2", "mjpeg", "vp8", "vp9", "gif",
)  # fmt: skip
# Pixels of a video that is short: starting ffmpeg takes longer than decoding it.
_SHORT = 400 * 640 * 480
# The packets of a video are in memory all at once.
_MOST_BYTES = 64 << 20
# A process that was lost so often without an answer between is not started again.
_MOST_LOST = 3


class Decoder:
    """A process that decodes, started when it is first asked."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._memory_mb = 0
        self._lost = 0

    def decode(self, wanted: Wanted, bounds: Bounds) -> NDArray[np.uint8] | None:
        """The wanted frames, uint8 (K, *wanted.size, 3); None: ask
        `reelflow.extraction.ffmpeg_decoder`.

        Args:
            wanted: of a video that `takes`.
            bounds: limits of the process; the time is that of each video.

        Raises:
            VideoError: as `opened`.
        """
        times = np.concatenate([wanted.times, wanted.times[wanted.indices]]).astype(np.int64)
        shape = (len(wanted.indices), *wanted.size, 3)
        request = _request(wanted, bounds)
        with opened(wanted.path) as video:
            if self._lost >= _MOST_LOST or len(request) > MOST_ASKED:
                return None
            memory = os.memfd_create("frames", os.MFD_CLOEXEC)
            try:
                os.ftruncate(memory, times.nbytes + math.prod(shape))
                room = mmap.mmap(memory, 0)
                np.frombuffer(room, np.int64, len(times))[:] = times
                done = self._ask(request, [video, memory], bounds)
            finally:
                os.close(memory)
        # The array keeps the memory alive.
        return np.frombuffer(room, np.uint8, offset=times.nbytes).reshape(shape) if done else None

    def _ask(self, request: bytes, descriptors: list[int], bounds: Bounds) -> bool:
        """Whether the process could decode what was asked for; it ends if it does not answer."""
        if self._process is None or self._memory_mb != bounds.memory_mb:
            self.close()
            self._start(bounds.memory_mb)
        answer = b""
        try:
            with suppress(OSError):
                self._socket.settimeout(bounds.timeout_s)
                socket.send_fds(self._socket, [request], descriptors)
                answer = self._socket.recv(len(DONE))
        finally:
            self._lost = 0 if answer else self._lost + 1
            # Nobody else is to get an answer that comes too late.
            if not answer:
                self.close()
        return answer == DONE

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._end()
            self._process = None

    def _start(self, memory_mb: int) -> None:
        self._memory_mb = memory_mb
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        program = str(Path(__file__).with_name("pyav_process.py"))
        with theirs:
            self._process = start(
                [sys.executable, "-I", "-B", program],
                memory_mb,
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        # At the latest when this decoder is gone, or Python ends.
        self._end = weakref.finalize(self, _end, self._process, self._socket)


def _end(process: subprocess.Popen[bytes], asking: socket.socket) -> None:
    asking.close()
    process.kill()
    process.wait()


def takes(wanted: Wanted) -> bool:
    """Whether a `Decoder` may be asked for it: short, whole, upright, of a usual codec, and decoded
    for nothing else."""
    info, spec = wanted.info, wanted.spec
    return (
        info.codec in _CODECS
        and info.frames * info.width * info.height <= _SHORT
        and spec.region != "motion"
        and spec.sampler != "keyframes"
        and is_rising(wanted.times)
        and info.intact == info.frames == len(wanted.times)
        and info.rotation == 0
        and info.bytes <= _MOST_BYTES
    )


def decoder() -> Decoder:
    """The decoder of this thread."""
    # A fork copies the memory of this process, but not its decoder.
    if getattr(_OWN, "process", None) != os.getpid():
        _OWN.process, _OWN.decoder = os.getpid(), Decoder()
    return _OWN.decoder


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
            "filters": filters_of(wanted.spec, info, wanted.region),
            "width": width,
            "height": height,
            "seconds": int(bounds.timeout_s) + 1,
        }
    ).encode()
