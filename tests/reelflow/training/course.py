"""Trainings to be killed: `python -m tests.reelflow.training.course FRAMES CHECKPOINTS STEP …`.

A process for each STEP, one after the other. It keeps a checkpoint after each step, and kills
itself in this one, as `kill -9` would.
"""

from __future__ import annotations

import math
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reelflow.base.determinism import deterministic
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.training.augmentation import Augmentation
from reelflow.training.checkpoint import Checkpoint
from reelflow.training.fit import State, fit
from reelflow.training.mixing import Mixing
from reelflow.training.optimizer import Recipe

CLIP = ClipSpec(frames=2, height=16, width=16)
LABELS = [0, 1] * 6
RECIPE = Recipe(
    epochs=4,
    batch_size=3,
    min_steps=1,
    optimizer="adamw",
    learning_rate=0.01,
    momentum=0.9,
    weight_decay=1e-4,
    patience=10,
    seed=3,
    augmentation=Augmentation(shift=0.1, brightness=0.1),
    mixing=Mixing(mixup=0.2),
    average=0.9,
)
STEPS = 4 * 3  # epochs of nine clips in batches of three


class Deadly(Checkpoint):
    """One that ends its process where step number `at` of all would be saved."""

    every_s = 0.0
    share = math.inf
    at = STEPS + 1

    def save_if_due(self, state: State) -> None:
        if state.epochs * 3 + state.step == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        super().save_if_due(state)


def network() -> Any:
    from reelflow.networks import build

    return build("cnn_rnn", CLIP.shape, 2, [100.0] * 3, [50.0] * 3)


def train(
    frames: Path, checkpoint: Checkpoint | None, told: list[pd.DataFrame] | None = None
) -> State:
    """Nine clips to learn from, three to watch."""
    store = FrameStore(frames)
    videos = pd.read_csv(frames.parent / "videos.csv")
    tell = [] if told is None else told
    weights = np.ones(2, np.float32)
    return fit(network, store, videos[:9], videos[9:], weights, RECIPE, tell.append, checkpoint)


def main() -> None:
    frames, folder, *steps = sys.argv[1:]
    # Imported once for all of them; nothing of it is at work yet.
    deterministic()
    for step in map(int, steps):
        if not (child := os.fork()):
            checkpoint = Deadly(Path(folder), {"a": 1})
            checkpoint.at = step
            train(Path(frames), checkpoint)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
