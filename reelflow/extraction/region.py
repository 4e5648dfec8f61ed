"""Which part of the picture a clip shows: the whole, a fixed box, or where something moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from reelflow.extraction.motion import motion_energy, window
from reelflow.extraction.samplers import dense
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import VideoInfo

# left, top, width, height as shares (0 to 1) of the picture as shown.
Box = tuple[float, float, float, float]
# Decodes the frames of these indices, int64 (K,), as a spec wants them: uint8 (K, H, W, 3).
Decode = Callable[[ClipSpec, NDArray[np.int64]], NDArray[np.uint8]]

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
# `motion` looks at pictures of this many pixels on the longer side, and at most at this many
# frames: runs of neighbours spread over the video.
_SIDE = 128
_FRAMES = 128
_RUN = 4


def region_of(spec: ClipSpec, info: VideoInfo, decode: Decode) -> Box:
    """The part of the picture that `spec` asks for.

    `motion` looks for it in small pictures, which decodes the video once more.
    """
    if spec.region != "motion":
        return spec.box  # the whole picture, unless the region is `box`
    scale = Fraction(_SIDE, max(info.width, info.height))
    small = replace(
        spec,
        frames=_FRAMES,
        height=max(4, round(info.height * scale)),
        width=max(4, round(info.width * scale)),
        fit="stretch",
        sampler="dense",
        stride=1,
        places=_FRAMES // _RUN if info.frames > _FRAMES else 1,
        region="whole",
    )
    pts = np.asarray(info.pts, dtype=np.int64)
    looked_at = np.unique(dense(pts, float(Fraction(info.time_base)), small))
    energy = motion_energy(decode(small, looked_at), looked_at)
    side = spec.window * min(info.width, info.height)
    width, height = side / info.width, side / info.height
    return (*window(energy, height, width), width, height)
