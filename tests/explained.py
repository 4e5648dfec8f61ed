"""A model whose answer is known by hand: how bright one place is at one time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from reelflow.explain.explainable_model import Changed, Floats, Frames, Look, Shape3
from reelflow.video.check_by_decoding import VideoInfo

# Frames, rows and columns that the toy looks at.
PLACE = (slice(4, 6), slice(16, 24), slice(8, 16))


def info(frames: int = 8, height: int = 32, width: int = 32) -> VideoInfo:
    """Of a video of ten frames a second."""
    return VideoInfo(
        hash="0" * 64, bytes=1, container="mp4", codec="h264", pixel_format="yuv420p", transfer="",
        width=width, height=height, fps=10.0, frames=frames, intact=frames, start=0.0,
        duration=frames / 10, rotation=0, stream=0, pts=tuple(range(frames)), time_base="1/10",
    )  # fmt: skip


def bright_place() -> Frames:
    """Grey noise, and white where the toy looks: uint8 (8, 32, 32, 3)."""
    frames = np.random.default_rng(0).integers(60, 100, (8, 32, 32, 3)).astype(np.uint8)
    frames[PLACE] = 255
    return frames


def look_at(frames: Frames) -> Look:
    return Look(frames, np.arange(len(frames)) / 10, info(*frames.shape[:3]), {})


class Toy:
    """Answers `bright` the surer, the brighter the place. Its own map is of where it looks, or, if
    it is `blind`, of what is bright, whoever asks."""

    grid: Shape3 = (4, 4, 4)
    own = "own"

    def __init__(self, place: tuple[slice, ...] = PLACE, *, blind: bool = False) -> None:
        self.place, self.blind = place, blind
        self.labels = ["dark", "bright"]
        self.asked = 0

    def look(self, path: Path) -> Look:
        return look_at(bright_place())

    def probabilities(self, look: Look, changed: Iterable[Changed]) -> Floats:
        found = []
        for start, part in changed:
            frames = look.frames.copy()
            frames[start : start + len(part)] = part
            self.asked += 1
            odds = (float(frames[self.place].mean()) - 150) / 20
            found.append([1 / (1 + np.exp(odds)), 1 / (1 + np.exp(-odds))])
        return np.array(found, np.float32)

    def own_map(self, look: Look, target: int) -> Floats:
        if self.blind:
            return look.frames.mean(axis=3, dtype=np.float32)
        found = np.zeros(look.frames.shape[:3], np.float32)
        found[self.place] = 1
        return found

    def features(self, look: Look) -> Floats:
        return np.zeros(1, np.float32)

    def randomised(self, seed: int) -> Iterator[tuple[str, Toy]]:
        yield "the place", Toy((slice(0, 2), slice(0, 8), slice(24, 32)), blind=self.blind)
