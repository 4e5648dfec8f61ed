"""Which clips the sample holds: class, group, size, container, codec and rate of each file.

A place in the plan is one recording set-up: group, size, format, rate and length. Every class
fills every place once, so whatever a header holds has exactly the same distribution in all
classes and cannot give the label away. Names are numbered by place and do not show the group.

A sample *apart* is as real videos often are: each scene shows one class alone, so that scenes seem
to tell the class, and its test (an official split) shows scenes that training never had.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reelflow.sample.encode import FORMATS, Format
from reelflow.sample.scene import LABELS, Scene

# (height, width); the short side is 80 or more, so that 64 x 64 is always a reduction.
SIZES = ((96, 96), (96, 128), (120, 160), (128, 96), (80, 112))

# (frames a second, frames): 1.0 to 2.4 s, at least 1.5 frames for each of 16 sampled ones.
RATES = (
    ("10", 24),
    ("12", 26),
    ("15", 24),
    ("20", 28),
    ("24", 30),
    ("25", 26),
    ("30000/1001", 32),
    ("30", 30),
)


@dataclass(frozen=True)
class Planned:
    """One video to be made.

    Attributes:
        path: relative to the sample, with `/`.
        label: one of `scene.LABELS`.
        group: number of the group, from 0.
        clip: number of the clip within its class, from 0.
        format: container and codec.
        rate: frames a second, a fraction as ffmpeg takes it.
        frames: number of frames.
        height: pixels.
        width: pixels.
        split: `train` or `test` where the sample has a split, else empty.
    """

    path: str
    label: str
    group: int
    clip: int
    format: Format
    rate: str
    frames: int
    height: int
    width: int
    split: str = ""

    def scene(self, seed: int) -> Scene:
        """What it shows."""
        size = (self.frames, self.height, self.width)
        return Scene(self.label, self.group, self.clip, *size, seed)


def plan(clips_per_class: int, groups: int, seed: int, *, apart: bool = False) -> list[Planned]:
    """Every good video of the sample, sorted by path; the same arguments give the same plan.

    Args:
        clips_per_class, groups, seed: see `reelflow.sample.write_sample`.
        apart: each group has one class; there are `groups` of each class, the last fourth of which
            make up the test.
    """
    rng = np.random.default_rng([seed, 2])
    group_of = rng.permutation(np.arange(clips_per_class) % groups)
    format_of = rng.permutation(np.arange(clips_per_class) % len(FORMATS))
    rate_of = rng.permutation(np.arange(clips_per_class) % len(RATES))
    # A group is a source, and a source has one size, as a camera has.
    size_of = rng.permutation(np.arange(groups) % len(SIZES))
    found = []
    for clip in range(clips_per_class):
        group, form = int(group_of[clip]), FORMATS[format_of[clip]]
        name = f"clip_{clip + 1:03d}{form.extension}"
        recorded = (form, *RATES[rate_of[clip]], *SIZES[size_of[group]])
        for number, label in enumerate(LABELS):
            scene, split = group, ""
            if apart:
                scene = group * len(LABELS) + number
                split = "test" if group >= groups - max(1, groups // 4) else "train"
            found.append(Planned(f"{label}/{name}", label, scene, clip, *recorded, split))
    return sorted(found, key=lambda video: video.path)
