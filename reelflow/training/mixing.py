"""Two clips in one, with both their labels, and labels that are not quite sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Mixing:
    """How clips are mixed, and how sure labels are.

    The share of the first clip is drawn from Beta(a, a): near 0 or 1 where a is small, near a half
    where it is large. Where both kinds are on, each clip gets one of them.

    Attributes:
        mixup: a of the weighted mean of two clips, pixel by pixel (Zhang et al., "mixup", ICLR
            2018); 0: off.
        cutmix: a where a rectangle of one clip lies over the other, in all frames (Yun et al.,
            "CutMix", ICCV 2019; "VideoMix", 2020); 0: off.
        label_smoothing: share of a label that all classes get equally (Szegedy et al., CVPR
            2016).
    """

    mixup: float = 0.0
    cutmix: float = 0.0
    label_smoothing: float = 0.0

    @property
    def pairs(self) -> bool:
        """Whether clips are mixed."""
        return bool(self.mixup or self.cutmix)

    @property
    def soft(self) -> bool:
        """Whether a label is a share of each class."""
        return self.pairs or bool(self.label_smoothing)

    def mix(self, clip: Frames, other: Frames, random: np.random.Generator) -> float:
        """Mix another clip into one, uint8 (T, H, W, 3), in place; the share that is left of it."""
        cut = bool(self.cutmix) and (not self.mixup or random.random() < 0.5)
        a = self.cutmix if cut else self.mixup
        share = float(random.beta(a, a))
        if cut:
            return _cut(clip, other, share, random)
        mean = share * clip.astype(np.float32) + (1 - share) * other.astype(np.float32)
        clip[...] = np.rint(mean)
        return share

    def smooth(self, shares: NDArray[np.float32]) -> NDArray[np.float32]:
        """Labels (B, K), each of sum 1, made less certain."""
        classes = shares.shape[1]
        less = (1 - self.label_smoothing) * shares + self.label_smoothing / classes
        return np.asarray(less, np.float32)


def _cut(clip: Frames, other: Frames, share: float, random: np.random.Generator) -> float:
    _, height, width, _ = clip.shape
    side = np.sqrt(1 - share)
    rows, columns = (
        _span(round(length * side), length, int(random.integers(length)))
        for length in (height, width)
    )
    clip[:, rows, columns] = other[:, rows, columns]
    covered = (rows.stop - rows.start) * (columns.stop - columns.start)
    return float(1 - covered / (height * width))


def _span(size: int, length: int, middle: int) -> slice:
    """So many places around one, as far as they are inside."""
    start = middle - size // 2
    return slice(max(0, start), min(length, start + size))
