"""Changes of training clips that leave the label true: they keep a network from memorising."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Augmentation:
    """Changes that leave the label true, drawn anew for each clip and epoch.

    One draw holds for all frames of a clip, so that no motion is made up.

    Attributes:
        shift: farthest move of the picture, as a share of its sides; the edge is repeated.
        brightness: farthest factor by which all values are raised or lowered, 0.2 for ±20 %.
        flip: mirror every second clip. Only where left and right mean the same: it turns a move
            to the left into one to the right.
        time_shift: farthest move along time, as a share of the frames; the end is repeated.
        rate: farthest change of the playback rate, 0.25 for a quarter faster or slower; the end
            is repeated.
        colour: farthest factor by which saturation, red, green and blue are raised or lowered,
            each by itself.
        erase: largest share of the picture that is covered, in every second clip, by a rectangle
            of the clip's mean colour (Zhong et al., "Random Erasing Data Augmentation", AAAI 2020).
    """

    shift: float = 0.0
    brightness: float = 0.0
    flip: bool = False
    time_shift: float = 0.0
    rate: float = 0.0
    colour: float = 0.0
    erase: float = 0.0

    def __call__(self, frames: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
        """Return changed frames, uint8 (T, H, W, 3) as given."""
        if self.shift:
            frames = _moved(frames, self.shift, random)
        if self.brightness:
            factor = 1 + random.uniform(-self.brightness, self.brightness)
            table = np.clip(np.arange(256) * factor, 0, 255).astype(np.uint8)
            # Half the time of an index, and no indices of 8 bytes a pixel beside it.
            bright = cv2.LUT(frames.reshape(len(frames), -1), table)
            frames = np.asarray(bright, np.uint8).reshape(frames.shape)
        if self.flip and random.random() < 0.5:
            frames = frames[:, :, ::-1]
        if self.time_shift or self.rate:
            frames = _retimed(frames, self.time_shift, self.rate, random)
        if self.colour:
            frames = _coloured(frames, self.colour, random)
        if self.erase and random.random() < 0.5:
            frames = _erased(frames, self.erase, random)
        return frames


def _moved(
    frames: NDArray[np.uint8], most: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    kept, edges = [slice(None)], [(0, 0)]
    for length in frames.shape[1:3]:
        farthest = round(most * length)
        move = int(random.integers(-farthest, farthest, endpoint=True))
        kept.append(slice(max(0, move), length + min(0, move)))
        edges.append((max(0, -move), max(0, move)))
    # Copies rows whole: a third of the time of a `take` along each side, for the same bytes.
    return np.pad(frames[tuple(kept)], [*edges, (0, 0)], mode="edge")


def _retimed(
    frames: NDArray[np.uint8], shift: float, rate: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    length = len(frames)
    factor = (1 + rate) ** random.uniform(-1, 1)
    middle = (length - 1) / 2
    places = middle + factor * (np.arange(length) - middle) + random.uniform(-shift, shift) * length
    chosen: NDArray[np.uint8] = frames[np.clip(np.rint(places), 0, length - 1).astype(int)]
    return chosen


def _coloured(
    frames: NDArray[np.uint8], most: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    saturation, *tint = 1 + random.uniform(-most, most, 4)
    # To grey by BT.601, in part, then each colour by its factor.
    grey = np.repeat(np.array([[0.299], [0.587], [0.114]]), 3, axis=1)
    matrix = ((1 - saturation) * grey + saturation * np.eye(3)) * tint
    changed = frames.astype(np.float32) @ matrix.astype(np.float32)
    return np.asarray(np.clip(np.rint(changed), 0, 255), np.uint8)


def _erased(
    frames: NDArray[np.uint8], most: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    _, height, width, _ = frames.shape
    area = random.uniform(0.02, max(0.02, most))
    # As high as wide, or up to three times as much either way.
    ratio = 3 ** random.uniform(-1, 1)
    rows = min(height, round(height * np.sqrt(area * ratio)))
    columns = min(width, round(width * np.sqrt(area / ratio)))
    top = random.integers(0, height - rows, endpoint=True)
    left = random.integers(0, width - columns, endpoint=True)
    changed = frames.copy()
    changed[:, top : top + rows, left : left + columns] = np.rint(frames.mean(axis=(0, 1, 2)))
    return changed
