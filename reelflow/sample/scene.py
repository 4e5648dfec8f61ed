"""The sample's clips as arrays: a textured object that moves over a moving, textured background.

Six classes, two looks times three motions, built so that no shortcut leads to the label:

- The look (`disc`, `star`) can be seen in any frame, the motion in none. Every object goes up and
  down its path once a clip, each way at an even speed, from a random phase: `climbing` goes up
  slowly and drops back, `sinking` goes down slowly and springs back, `bobbing` takes as long
  up as down. Height is therefore uniform over the path at every moment and over every clip,
  whatever the motion: neither one frame nor all frames in random order show it.
- Object, size, paint, background and the camera's drift are drawn from the same distributions
  for every class. Mirroring left to right keeps every label; playing backwards does not.

Everything lies within the central square, so that a square crop never cuts the object.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from reelflow.sample import texture

SHAPES = ("disc", "star")
# The share of a clip that the object spends going up.
MOTIONS = {"bobbing": 0.5, "climbing": 0.86, "sinking": 0.14}
LABELS = tuple(f"{shape}_{motion}" for shape in SHAPES for motion in MOTIONS)

POINTS = 5
NOTCH = 0.44  # a star's inner radius as a share of its outer one
RIM = 0.022  # width of the dark edge, as a share of the frame's short side
SHADOW = (0.03, 0.02)  # where the shadow falls: down and right, shares of the short side
MARGIN = 0.02  # least distance of the object from the central square's edge

Floats = NDArray[np.float64]
Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class _Track:
    """The random values of one clip; lengths are shares of the frame's short side."""

    radius: float
    tilt: float
    x: Floats  # centre of the object in the central square, (N,)
    y: Floats
    camera: Floats  # where it looks on the endless background, (N, 2): down, right
    paint_at: Floats  # which part of the paint the object shows, (2,)


@dataclass(frozen=True)
class Scene:
    """Clip number `clip` of class `label` in the look of `group`.

    The same scene gives the same bytes. Clips of one group share the background's and the object's
    paint; all else differs by clip and class.

    Attributes:
        label: one of `LABELS`.
        group, clip: numbers from 0.
        frames: number of frames.
        height, width: pixels.
        seed: another one gives other scenes.
    """

    label: str
    group: int
    clip: int
    frames: int
    height: int
    width: int
    seed: int = 0

    def render(self) -> NDArray[np.uint8]:
        """The frames, uint8 RGB (N, H, W, 3), some 0.4 ms each for 128 x 96."""
        track, side = _track(self), min(self.height, self.width)
        ground, paint = _textures(self.seed, self.group, side)
        crops = [
            texture.crop(ground, y, x, self.height, self.width) for y, x in track.camera * side
        ]
        shown = np.stack(crops)
        _draw(shown, self._shape, track, paint)
        return shown

    def boxes(self) -> Floats:
        """Where the object is, float64 (N, 4): left, top, width, height in pixels, where pixel i
        covers i to i + 1. The shadow is not part of the object."""
        track = _track(self)
        radius = track.radius * min(self.height, self.width)
        if self._shape == "disc":
            corners = radius * np.array([[-1.0, -1.0], [1.0, 1.0]])
        else:
            turns = track.tilt + 2 * np.pi * np.arange(POINTS) / POINTS
            corners = radius * np.stack([np.sin(turns), np.cos(turns)], axis=1)
        first, last = corners.min(axis=0), corners.max(axis=0)
        top_left = _centres(track, self.height, self.width) + first
        extent = np.broadcast_to(last - first, top_left.shape)
        return np.concatenate([top_left[:, ::-1], extent[:, ::-1]], axis=1)

    @property
    def _shape(self) -> str:
        return self.label.split("_")[0]


def _track(scene: Scene) -> _Track:
    up_share = MOTIONS[scene.label.split("_")[1]]
    number = LABELS.index(scene.label)
    rng = np.random.default_rng([scene.seed, 1, scene.group, scene.clip, number])
    time = np.arange(scene.frames) / scene.frames
    radius = rng.uniform(0.155, 0.19)
    low, high = radius + MARGIN, 1 - radius - MARGIN
    travel = rng.uniform(0.42, 0.54)
    top = rng.uniform(low, high - travel)
    y = top + travel * _depth((time + rng.uniform()) % 1.0, up_share)
    sway = rng.uniform(0.0, 0.08)
    swing = np.sin(2 * np.pi * (time * rng.uniform(0.3, 1.0) + rng.uniform()))
    x = rng.uniform(low + sway, high - sway) + sway * swing
    heading = rng.uniform(0, 2 * np.pi)
    speed = rng.uniform(0.1, 0.25)
    drift = time[:, None] * speed * np.array([np.sin(heading), np.cos(heading)])
    return _Track(
        radius=radius,
        tilt=rng.uniform(0, 2 * np.pi),
        x=x,
        y=y,
        camera=rng.uniform(0, 2, 2) + drift,
        paint_at=rng.uniform(0, 2, 2),
    )


def _depth(phase: Floats, up_share: float) -> Floats:
    """Place on the path, 0 at its top and 1 at its bottom: up during `up_share`, then down."""
    return np.where(phase < up_share, 1 - phase / up_share, (phase - up_share) / (1 - up_share))


@lru_cache(maxsize=64)
def _textures(seed: int, group: int, side: int) -> tuple[texture.Image, texture.Image]:
    """Background and paint of a group, in tiles two short sides wide, so that few repeats show."""
    rng = np.random.default_rng([seed, 0, group])
    hue = rng.uniform()
    ground = texture.background(rng, 2 * side, hue)
    return ground, texture.paint(rng, 2 * side, hue + rng.uniform(0.3, 0.7))


def _centres(track: _Track, height: int, width: int) -> Floats:
    """The object's centre in pixels, down and right, (N, 2)."""
    side = min(height, width)
    corner = np.array([(height - side) / 2, (width - side) / 2])
    return np.stack([track.y, track.x], axis=1) * side + corner


def _draw(shown: NDArray[np.uint8], shape: str, track: _Track, paint: texture.Image) -> None:
    """Lay shadow, rim and object over `shown` (N, H, W, 3), in place."""
    count, height, width, _ = shown.shape
    side, centres = min(height, width), _centres(track, height, width)
    radius, reach = track.radius * side, round(track.radius * side + 0.06 * side) + 1
    size = 2 * reach + 1
    corners = np.floor(centres).astype(int) - reach
    grid = np.arange(size, dtype=np.float32) + np.float32(0.5)
    offsets = (corners - centres).astype(np.float32)
    y = grid[None, :, None] + offsets[:, 0, None, None]
    x = grid[None, None, :] + offsets[:, 1, None, None]
    inside = _distance(shape, track.tilt, radius, y, x)
    shade = _distance(shape, track.tilt, radius, y - SHADOW[0] * side, x - SHADOW[1] * side)
    body = _cover(inside + 0.5)
    edge = np.float32(0.25) + np.float32(0.75) * _cover(inside - RIM * side + 0.5)
    shadow = 1 - 0.45 * _cover(shade / (0.04 * side) + 0.5)
    for frame in range(count):
        top, left = corners[frame]
        rows = slice(max(top, 0), min(top + size, height))
        columns = slice(max(left, 0), min(left + size, width))
        part = (
            slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left),
        )
        # The paint sticks to the object: it is looked up at the object's own fraction of a pixel.
        at = track.paint_at * side + corners[frame] - centres[frame]
        own = texture.crop(paint, at[0], at[1], size, size).astype(np.float32)
        own *= edge[frame][..., None]
        under = shown[frame, rows, columns] * shadow[frame][part][..., None]
        weight = body[frame][part][..., None]
        shown[frame, rows, columns] = np.round(own[part] * weight + under * (1 - weight))


def _distance(shape: str, tilt: float, radius: float, y: Pixels, x: Pixels) -> Pixels:
    """Pixels from the edge, positive inside; exact near the edge, which is all that is used."""
    if shape == "disc":
        return np.float32(radius) - np.sqrt(x * x + y * y)
    # Fold the plane along the star's axes of symmetry, until one edge stands for all ten.
    down, right = np.float32(np.sin(tilt)), np.float32(np.cos(tilt))
    along, across = down * y + right * x, np.abs(down * x - right * y)
    turn = np.pi / POINTS
    for mirror in ((-np.sin(turn), np.cos(turn)), (-np.sin(turn), -np.cos(turn))):
        mirror_along, mirror_across = np.float32(mirror[0]), np.float32(mirror[1])
        beyond = 2 * np.maximum(along * mirror_along + across * mirror_across, 0)
        along, across = along - beyond * mirror_along, across - beyond * mirror_across
    edge = NOTCH * np.array([np.cos(turn), np.sin(turn)]) - np.array([1.0, 0.0])
    edge_along, edge_across = (edge / np.hypot(*edge)).astype(np.float32)
    return edge_across * (np.float32(radius) - along) + edge_along * np.abs(across)


def _cover(value: Pixels) -> Pixels:
    """Clip to [0, 1] in steps of 1/255, so that the last bits of a sine cannot change a pixel."""
    steps = np.round(np.float32(255) * np.clip(value, 0.0, 1.0)) / np.float32(255)
    return steps.astype(np.float32)
