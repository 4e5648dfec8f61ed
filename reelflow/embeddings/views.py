"""Views: the parts of a picture that a backbone looks at, by name, all cut from the same frames.

Each view is a function from frames, uint8 (T, H, W, 3), to a box (left, top, right, bottom) in
whole pixels. A new one is a function here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from reelflow.extraction.motion import window

Frames = NDArray[np.uint8]
Box = tuple[int, int, int, int]

# Side of the square of `motion`, as a share of the shorter side of the picture.
_WINDOW = 0.75
# Motion is looked for in pictures whose shorter side has this many pixels, blurred by so many.
_SIDE = 128
_BLUR = 1.5


def box_of(view: str, frames: Frames) -> Box:
    """The part of the frames that a view shows."""
    box: Box = globals()[view](frames)
    return box


def cut(frames: Frames, box: Box, size: int) -> Frames:
    """This part of each frame, scaled: uint8 (T, size, size, 3)."""
    shrinks = min(box[2] - box[0], box[3] - box[1]) > size
    filter_ = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.stack(
        [np.asarray(Image.fromarray(frame).resize((size, size), filter_, box)) for frame in frames]
    )


def whole(frames: Frames) -> Box:
    """All of the picture, stretched to a square."""
    return 0, 0, frames.shape[2], frames.shape[1]


def motion(frames: Frames) -> Box:
    """A square on the strongest difference of neighbouring frames; the middle if nothing moves."""
    height, width = frames.shape[1:3]
    scale = _SIDE / min(height, width)
    small = max(1, round(width * scale)), max(1, round(height * scale))
    grey = np.stack(
        [np.asarray(Image.fromarray(frame).convert("L").resize(small)) for frame in frames]
    ).astype(np.float32)
    blurred = gaussian_filter(grey, (0, _BLUR, _BLUR))
    change = np.zeros(grey.shape[1:], np.float32)
    if len(frames) > 1:
        change = np.abs(np.diff(blurred, axis=0)).mean(axis=0)
    energy = np.maximum(change - np.median(change), 0).astype(np.float32)
    side = max(1, round(_WINDOW * min(height, width)))
    left, top = window(energy, side / height, side / width)
    across, down = round(left * width), round(top * height)
    return across, down, across + side, down + side
