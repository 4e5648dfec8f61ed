"""Frames as images inside a page: `data:` addresses of WebP, the same bytes for the same frames."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelflow.base.evenly_spaced import evenly

if TYPE_CHECKING:
    from PIL.Image import Image

GAP = 3
# Of a clip that moves on a page so many frames are shown, each for so long.
MOVING_FRAMES, FRAME_MS = 16, 120


def strip(frames: NDArray[np.uint8], tile: int) -> str:
    """Frames side by side, as a `data:` address of a WebP image.

    Args:
        frames: uint8 RGB (T, H, W, 3); all of them are drawn.
        tile: most height or width of one in pixels; none is enlarged.
    """
    from PIL import Image

    pictures = [_picture(frame, tile) for frame in frames]
    width, height = pictures[0].size
    # The gaps are transparent, so that they are the page's colour, by day and by night.
    sheet = Image.new("RGBA", (len(pictures) * (width + GAP) - GAP, height))
    for i, picture in enumerate(pictures):
        sheet.paste(picture, (i * (width + GAP), 0))
    return _address(sheet, quality=80, method=4)


def still(frame: NDArray[np.uint8], tile: int, quality: int = 60) -> str:
    """One frame, uint8 RGB (H, W, 3), reduced to at most `tile` pixels a side."""
    return _address(_picture(frame, tile), quality=quality, method=4)


def moving(frames: NDArray[np.uint8], tile: int, quality: int = 60) -> str:
    """A clip that plays for ever, at most `MOVING_FRAMES` of its frames.

    Costs 15 ms and some 15 kB a clip of 64 x 64 pixels; a page holds dozens of them, not thousands.

    Args:
        frames: uint8 RGB (T, H, W, 3).
        tile: most height or width in pixels; none is enlarged.
        quality: of WebP, 0 to 100.
    """
    chosen = evenly(len(frames), MOVING_FRAMES)
    first, *rest = (_picture(frame, tile) for frame in frames[chosen])
    return _address(
        first, save_all=True, append_images=rest, duration=FRAME_MS, quality=quality, method=2
    )


def _picture(frame: NDArray[np.uint8], tile: int) -> Image:
    """The frame, reduced to at most `tile` pixels a side."""
    from PIL import Image

    height, width = frame.shape[:2]
    scale = min(1.0, tile / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return Image.fromarray(frame).resize(size, Image.Resampling.BOX)


def _address(image: Image, **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **options)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
