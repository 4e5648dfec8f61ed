"""One of two workers: `python -m tests.reelflow.training.together INDEX FRAMES OUT PORTS …`.

It lives once for each pair of PORTS (`a,b`), as a process of its own each time (`LIVES`), and
prints how each ended. What ends with a model writes its weights, curves and the seeds of dropout
to the folder `OUT`.
"""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.determinism import deterministic
from reelflow.base.errors import UnavailableError
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.training.checkpoint import Checkpoint
from reelflow.training.fit import State, fit
from reelflow.training.workers import ALONE, Workers
from tests.reelflow.training.course import RECIPE as COURSE

CLIP = ClipSpec(frames=2, height=16, width=16)
# Of nine clips the last batch has one, so that one worker would have none.
LABELS = [0, 1] * 7
RECIPE = replace(COURSE, epochs=2, batch_size=4, average=0.5, clip_norm=0.2, optimizer="sgd")

# What befalls the first and the second worker after their fourth step, in the second epoch; and
# `unbuilt`, while they build their networks.
LIVES: dict[str, tuple[int, int]] = {
    "whole": (0, 0),
    "killed": (signal.SIGKILL, signal.SIGKILL),
    "again": (0, 0),
    "left": (0, signal.SIGTERM),
    "unbuilt": (0, signal.SIGKILL),
}


class Deadly(Checkpoint):
    """One that sends its process a signal where the fourth step would be saved.

    Attributes:
        signal: its number.
        meets: files of the processes that die together. Each writes its own and waits for the
            others': who was slower would end with a sentence about who was faster.
        steps: how many were done.
        seeds: of dropout, after the last one.
    """

    every_s = 0.0
    share = math.inf
    signal = 0
    meets: tuple[Path, ...] = ()
    steps = 0
    seeds: tuple[NDArray[np.uint32], ...] = ()

    def save_if_due(self, state: State) -> None:
        self.steps += 1
        self.seeds = tuple(one.numpy() for one in state.model.variables if "seed" in one.path)
        if (state.epochs, state.step) == (1, 1):
            self.wait_for_the_others()
            os.kill(os.getpid(), self.signal)
        super().save_if_due(state)

    def wait_for_the_others(self) -> None:
        if self.meets:
            self.meets[self._workers.index].touch()
        end = time.monotonic() + 300
        while not all(each.exists() for each in self.meets):
            if time.monotonic() > end:
                raise TimeoutError(f"not all of {self.meets} came")
            time.sleep(0.01)


def network() -> Any:
    """A convolution with batch normalisation, and dropout that draws and drops nothing."""
    import keras
    from keras import layers

    from reelflow.networks.layers import clips, probabilities

    inputs, x = clips(CLIP.shape, [100.0] * 3, [50.0] * 3)
    x = layers.Conv3D(4, (1, 3, 3), use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Flatten()(layers.AveragePooling3D((1, 7, 7))(x))
    return keras.Model(inputs, probabilities(layers.Dropout(1e-9)(x), 2))


def train(
    frames: Path,
    workers: Workers = ALONE,
    checkpoint: Checkpoint | None = None,
    make_network: Callable[[], Any] = network,
) -> State:
    """Nine clips to learn from, five to watch."""
    videos = pd.read_csv(frames.parent / "videos.csv")
    ones = np.array([1.0, 2.0], np.float32)
    return fit(
        make_network, FrameStore(frames), videos[:9], videos[9:], ones, RECIPE, lambda _: None,
        checkpoint, workers,
    )  # fmt: skip


def weights(state: State) -> NDArray[np.float32]:
    """All of them in a row."""
    return np.concatenate([part.ravel() for part in state.model.get_weights()])


def live(life: str, frames: Path, out: Path) -> None:
    workers = Workers.of_environment()
    # The second worker has no such folder, as on another host.
    folder = out.parent / f"checkpoints {workers.index} {life.replace('again', 'killed')}"
    checkpoint = Deadly(folder, {}, workers=workers)
    number = LIVES[life][workers.index]
    if all(LIVES[life]):
        checkpoint.meets = tuple(out.parent / f"{life} meets {index}" for index in range(2))

    def dies() -> Any:
        os.kill(os.getpid(), number)
        return network()

    early = life == "unbuilt"
    checkpoint.signal = 0 if early else number
    state = train(frames, workers, checkpoint, dies if early else network)
    curves = state.history.to_numpy()
    done = {"steps": checkpoint.steps, "seeds": checkpoint.seeds}
    np.savez(out, weights=weights(state), curves=curves, **done)


def config(index: int, ports: list[int]) -> str:
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    return json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})


def main() -> None:
    index, frames, out = int(sys.argv[1]), *map(Path, sys.argv[2:4])
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    # Imported once for all lives; nothing of it is at work yet.
    deterministic()
    for life, ports in zip(LIVES, sys.argv[4:], strict=True):
        if not (child := os.fork()):
            os.environ["TF_CONFIG"] = config(index, [int(port) for port in ports.split(",")])
            try:
                live(life, frames, out / f"{life} {index}.npz")
            except UnavailableError as error:
                print(error)
                os._exit(75)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(life, os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
