"""One of several workers: `TF_CONFIG=… python -m tests.reelflow.training.together FRAMES OUT`.

It writes the hash of its weights, the weights and its curves.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reelflow.base.determinism import deterministic
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.training.fit import State, fit
from reelflow.training.workers import Workers
from tests.reelflow.training.course import RECIPE as COURSE

CLIP = ClipSpec(frames=2, height=16, width=16)
# Of nine clips the last batch has one, so that one worker would have none.
LABELS = [0, 1] * 7
RECIPE = replace(COURSE, epochs=2, batch_size=4, average=0.0, optimizer="sgd")


def network() -> Any:
    """A convolution with batch normalisation; no dropout, which each worker has for itself."""
    import keras
    from keras import layers

    from reelflow.networks.layers import clips, probabilities

    inputs, x = clips(CLIP.shape, [100.0] * 3, [50.0] * 3)
    x = layers.Conv3D(4, (1, 3, 3), use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Flatten()(layers.AveragePooling3D((1, 7, 7))(x))
    return keras.Model(inputs, probabilities(x, 2))


def train(frames: Path, workers: Workers) -> State:
    """Nine clips to learn from, five to watch."""
    videos = pd.read_csv(frames.parent / "videos.csv")
    ones = np.array([1.0, 2.0], np.float32)
    return fit(
        network, FrameStore(frames), videos[:9], videos[9:], ones, RECIPE, lambda _: None,
        workers=workers,
    )  # fmt: skip


def main() -> None:
    frames, out = map(Path, sys.argv[1:])
    deterministic()
    state = train(frames, Workers.of_environment())
    weights = np.concatenate([part.ravel() for part in state.model.get_weights()])
    np.savez(out, weights=weights, curves=state.history.to_numpy())


if __name__ == "__main__":
    main()
