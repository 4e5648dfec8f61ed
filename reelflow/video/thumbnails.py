"""Thumbnails of a video, taken while it is decoded for something else, at 5 to 15 % more.

They serve to find copies of a video (`reelflow.dataset.fingerprints`), not to learn from. They are
grey, of one size whatever the shape of the picture, and a long video has them of its beginning.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from reelflow.video.process_output import Pipe

RATE = 8  # a second
SIDE = 64  # pixels
MOST = 960  # two minutes, 4 MB


class Thumbnails:
    """What a decoder gives beside its main output.

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
        with ExitStack() as stack:
            pipe = Pipe(stack, MOST * SIDE * SIDE)
            # `fps` fills gaps, and times may span years: they stand still from the end on. Not
            # `frames:v`: if one of two outputs ends before the other, ffmpeg may hang.
            output = ffmpeg.output(
                video,
                f"pipe:{pipe.end}",
                format="rawvideo",
                fps_mode="passthrough",
                vf=f"setpts='min(PTS,STARTPTS+{MOST / RATE:g}/TB)',fps={RATE},"
                f"select='lt(n,{MOST})',"
                f"scale={SIDE}:{SIDE}:flags=area+accurate_rnd+bitexact,format=gray",
            )
            yield output, pipe.end
            found = pipe.read()
        whole = len(found) // SIDE**2 * SIDE**2
        self.pictures = np.frombuffer(found[:whole], np.uint8).reshape(-1, SIDE, SIDE)
