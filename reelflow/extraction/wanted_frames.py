"""What is wanted of a video: which frames, how large, and what has to be decoded for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelflow.extraction.region import Box
from reelflow.extraction.scale_and_crop import scaled_size
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import VideoInfo
from reelflow.video.frame_times import Times

# Characters of an expression; an argument of a program may have 128 KiB.
LONGEST = 100_000


@dataclass(frozen=True)
class Wanted:
    """Frames that are wanted of a video.

    Attributes:
        path, info: the video, and what `check_video` found.
        spec: their size.
        region: the part of the picture.
        times: int64 (N,), of all frames as the decoder gives them (`ffmpeg_decoder.decoder_times`).
        indices: int64 (K,), which of them, ascending.
        keys: whether it is enough to decode key frames (`ffmpeg_decoder.key_frames`).
        dropped: ffmpeg's bitstream filter that keeps packets from the decoder; empty for none.
    """

    path: Path
    info: VideoInfo
    spec: ClipSpec
    region: Box
    times: Times
    indices: NDArray[np.int64]
    keys: bool = False
    dropped: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a decoded frame: of the clip, or of what its crops are cut from."""
        if self.spec.crops > 1:
            return scaled_size(self.spec, self.info, self.region)
        return self.spec.height, self.spec.width

    @property
    def frame_bytes(self) -> int:
        """Of one decoded frame."""
        height, width = self.size
        return height * width * 3


def one_at(variable: str, times: Times, chosen: NDArray[np.bool_]) -> str:
    """An expression of ffmpeg that is 1 where a variable has a chosen time, 0 at the other times.

    It is nested halves of the runs, since ffmpeg adds up a hundred terms at the most; and each time
    is decided in as many steps as the number of runs has binary digits.

    Args:
        variable: ffmpeg's name of it.
        times: int64 (N,), rising.
        chosen: bool (N,).
    """
    edges = np.flatnonzero(np.diff(chosen, prepend=not chosen[0]))

    def between(low: int, high: int) -> str:
        if low == high:
            return str(int(chosen[edges[low]]))
        middle = (low + high + 1) // 2
        lower, upper = between(low, middle - 1), between(middle, high)
        return rf"if(lt({variable}\,{times[edges[middle]]})\,{lower}\,{upper})"

    return between(0, len(edges) - 1)
