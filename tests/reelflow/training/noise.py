"""Clips of noise that a network can tell apart, in a store: what the tests of training learn."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from reelflow.store.clip_spec import Clip, ClipSpec
from tests.dataset import write_clips

CLIP = ClipSpec(frames=3, height=8, width=8)


def write_noise(
    root: Path, labels: list[int], contrast: int = 100, clip: ClipSpec = CLIP
) -> pd.DataFrame:
    """Noise that is brighter on the left in class 0, on the right in class 1."""
    random = np.random.default_rng(0)
    half = clip.width // 2
    clips = {}
    for number, label in enumerate(labels):
        frames = random.integers(0, 120, clip.shape)
        frames[:, :, half * label : half * (label + 1)] += contrast
        name = hashlib.sha256(str(number).encode()).hexdigest()
        clips[name] = Clip(frames.astype(np.uint8), np.arange(float(clip.frames)))
    write_clips(root, clips, clip)
    return pd.DataFrame({"hash": list(clips), "target": labels})
