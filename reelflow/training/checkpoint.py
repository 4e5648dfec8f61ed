"""Checkpoints: a training that is killed at any moment goes on, and ends in the same bits.

A checkpoint holds all of `reelflow.training.fit.State` between two steps, the seeds of dropout
included. The hash of all that decides the outcome is its name. So whatever lies under that name
is of the same course, whoever wrote it: a training of other data, params or code finds another name
or none, and two that are at work at once write what each of them could go on from. Of several
workers only the first writes and reads: between two steps all of them hold the same.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import math
import platform
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import reelflow
from reelflow.base.files import remove_left_over
from reelflow.store.shards import is_whole, write_shard
from reelflow.training.workers import ALONE, Workers

if TYPE_CHECKING:
    from reelflow.training.fit import State

log = logging.getLogger(__name__)

Arrays = dict[str, NDArray[Any]]

# Seconds after which a checkpoint that nobody wrote again is forgotten: a week.
_FORGOTTEN_S = 7 * 24 * 3600.0


class Checkpoint:
    """The checkpoint of one training.

    Args:
        folder: where those of all trainings lie.
        decisive: what decides the outcome beside code and libraries, as JSON can hold it.
        workers: who trains together.

    Attributes:
        every_s: seconds between two.
        share: the most that writing them may take of the time, by which they become rarer.
    """

    every_s = 30.0
    share = 0.02

    def __init__(self, folder: Path, decisive: Mapping[str, Any], workers: Workers = ALONE) -> None:
        # With another number of workers, sums have another order.
        self.path = folder / _key({**decisive, "workers": workers.number})
        self._workers = workers
        self._due = time.monotonic() + self.every_s if not workers.index else math.inf

    def restore(self, state: State) -> bool:
        """Bring a fresh state to where the training was, if there is a checkpoint.

        One that is damaged is left alone, with a warning in the log.
        """
        payload = self._workers.of_first(self._read)
        if not payload:
            return False
        with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
            _take_up(state, arrays)
        log.info("taken up after %d epochs and %d steps", state.epochs, state.step)
        return True

    def save_if_due(self, state: State) -> None:
        """Save the state between two steps, if the last time was long enough ago."""
        began = time.monotonic()
        if began < self._due:
            return
        try:
            self._save(state)
        except OSError as error:
            log.warning("no checkpoint can be written any more (%s); the training goes on", error)
            self._due = math.inf
            return
        ended = time.monotonic()
        self._due = ended + max(self.every_s, (ended - began) / self.share)

    def remove(self) -> None:
        """Forget the training: it has ended."""
        if not self._workers.index:
            self.path.unlink(missing_ok=True)

    def _read(self) -> bytes:
        remove_left_over(self.path.parent)
        if not self.path.exists():
            return b""
        if not is_whole(self.path):
            log.warning("%s is damaged or unreadable: the training starts over", self.path)
            return b""
        return np.load(self.path, allow_pickle=False).tobytes()

    def _save(self, state: State) -> None:
        payload = io.BytesIO()
        np.savez(payload, **_arrays(state))  # type: ignore[arg-type]
        write_shard(self.path, np.frombuffer(payload.getbuffer(), "V1"))


def forgotten(folder: Path) -> Iterator[Path]:
    """The checkpoints that no training has written for a week."""
    for path in folder.glob("*"):
        if time.time() - path.stat().st_mtime > _FORGOTTEN_S:
            yield path


def _key(decisive: Mapping[str, Any]) -> str:
    libraries = {name: version(name) for name in ("keras", "numpy", "tensorflow")}
    known = {
        "decisive": decisive,
        "code": _code(),
        "libraries": libraries,
        "python": platform.python_version(),
        "processor": platform.machine(),
    }
    text = json.dumps(known, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _code() -> str:
    """The hash of the library, all of it: to find out what a training uses is error-prone."""
    root = Path(reelflow.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _arrays(state: State) -> Arrays:
    told = {
        "rows": state.rows,
        "best_epoch": state.best_epoch,
        "best_weights": len(state.best_weights),
        "step": state.step,
    }
    # `variables`, not `get_weights()`, which leaves out the seeds of dropout.
    return {
        "told": np.frombuffer(json.dumps(told).encode(), np.uint8),
        "sums": state.sums,
        **{f"model {at}": one.numpy() for at, one in enumerate(state.model.variables)},
        **{f"optimizer {at}": one.numpy() for at, one in enumerate(state.optimizer.variables)},
        **{f"best {at}": one for at, one in enumerate(state.best_weights)},
    }


def _take_up(state: State, arrays: Mapping[str, NDArray[Any]]) -> None:
    told = json.loads(arrays["told"].tobytes())
    for name, part in (("model", state.model), ("optimizer", state.optimizer)):
        for at, variable in enumerate(part.variables):
            variable.assign(arrays[f"{name} {at}"])
    state.best_weights = [arrays[f"best {at}"] for at in range(told["best_weights"])]
    state.rows, state.best_epoch = told["rows"], told["best_epoch"]
    state.step, state.sums = told["step"], arrays["sums"]
