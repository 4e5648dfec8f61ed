"""Thumbnails of a video, taken beside what else it is decoded for, at some 4 % more.

They are for looking a video up (`reelflow.fingerprints`), not for learning: grey, of one size
whatever the shape of the picture, so many a second, of its beginning alone if it is long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from reelflow.video.ffmpeg import Drain

RATE = 8  # a second
SIDE = 64  # pixels
MOST = 960  # two minutes, 4 MB


class Thumbnails:
    """What a decoder gives besides its proper output.

    Attributes:
        pictures: uint8 (N, SIDE, SIDE), grey; there once the decoder has ended. N may be 0.
    """

    def __init__(self) -> None:
        self.pictures: NDArray[np.uint8] = np.empty((0, SIDE, SIDE), np.uint8)

    @contextmanager
    def beside(self, video: Any) -> Iterator[tuple[Any, int]]:
        """Yield the output for ffmpeg-python and the descriptor that ffmpeg writes it to.

        Args:
            video: the stream of an input.
        """
        read_end, write_end = os.pipe()
        drain = Drain(os.fdopen(read_end, "rb"), MOST * SIDE * SIDE, stop=lambda: None)
        output = ffmpeg.output(
            video,
            f"pipe:{write_end}",
            format="rawvideo",
            fps_mode="passthrough",
            # Not `frames:v`: where one of two outputs ends before the other, ffmpeg may hang.
            # `fps` fills gaps, and times may span years: they are made to stand still at the end.
            vf=f"setpts='min(PTS,STARTPTS+{MOST / RATE:g}/TB)',fps={RATE},select='lt(n,{MOST})',"
            f"scale={SIDE}:{SIDE}:flags=area+accurate_rnd+bitexact,format=gray",
        )
        try:
            yield output, write_end
        finally:
            os.close(write_end)
            drain.join()
        whole = len(drain.kept) // SIDE**2 * SIDE**2
        self.pictures = np.frombuffer(bytes(drain.kept[:whole]), np.uint8).reshape(-1, SIDE, SIDE)
