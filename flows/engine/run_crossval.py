"""A cross-validation from the command line: `cross_validate`, which `reelflow crossval` prints.

What is done is kept in `.reelflow/crossval`. So one that was killed goes on, and one that is asked
for again costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from flows.engine.fold_jobs import jobs_of, with_network
from flows.engine.run_folds import Do, Turn, run_folds
from flows.engine.run_lock import only_run
from flows.engine.stage_outcomes import PipelineResult
from reelflow.base.errors import DataError
from reelflow.base.words import count
from reelflow.crossval.figures import Answered
from reelflow.crossval.finished_folds import Job, find
from reelflow.crossval.folds import Fold, official, one_group_out, stratified
from reelflow.intake.official_splits import read_split_lists
from reelflow.networks import reads
from reelflow.params import load_section
from reelflow.params.train import TrainParams
from tasks import crossval
from tasks.common.paths import FOLDS, PARAMS
from tasks.fold import prepared_videos


@dataclass(frozen=True)
class Asked:
    """What a person asks for.

    Attributes:
        folds: of a repeat.
        repeats: how often the groups are dealt anew.
        one_group_out: a fold for each group instead, once.
        network: the network that is judged; empty for that of params.yaml.
        workers: folds at once.
        official: a fold for each of these lists instead, as `--split-list` of an import takes them.
    """

    folds: int = 5
    repeats: int = 5
    one_group_out: bool = False
    network: str = ""
    workers: int = 1
    official: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """How the folds are made, for people."""
        if self.official:
            return count(len(self.official), "official split")
        if self.one_group_out:
            return "one group left out"
        return f"{count(self.folds, 'fold')} of whole groups, {count(self.repeats, 'repeat')}"


class Folds:
    """The folds that are not kept, as `run_folds` takes them; the first that fails is the last."""

    unit: ClassVar[str] = "fold"

    def __init__(self, jobs: list[Job]) -> None:
        self._todo = [job for job in jobs if not find(FOLDS, job)]
        self._new, self._kept = len(self._todo), len(jobs) - len(self._todo)

    @property
    def left(self) -> int:
        """Folds that are left to do."""
        return len(self._todo)

    def next(self, failed: Sequence[str]) -> Turn | None:
        """The next fold."""
        if failed or not self._todo:
            return None
        job = self._todo.pop(0)
        return Turn(job.fold.name, lambda do: _line(job, do))

    def end(self, failed: Sequence[str]) -> tuple[str, str]:
        """The first sentence of a fold that failed, and how many were done."""
        kept = f", {self._kept} kept" if self._kept else ""
        return "".join(failed[:1]), f"{self._new} done{kept}"


def _line(job: Job, do: Do) -> str:
    """Do a fold; a line on it."""
    began = time.monotonic()
    found = do(job)
    right = found.right(job.labels).mean()
    said = f"{job.fold.name}: {len(found.videos)} videos, accuracy {right:.3f}"
    return f"{said}, {time.monotonic() - began:.1f} s"


def cross_validate(
    asked: Asked, echo: Callable[[str], None]
) -> tuple[PipelineResult, dict[str, Any]]:
    """Run the stages before `train` and every fold that is not kept; write what comes of it.

    Args:
        asked: which folds.
        echo: takes each line for a console.

    Returns:
        the outcome of the stages and of the folds; and, if all went well, what
        `metrics/crossval.json` holds.

    Raises:
        ReelflowError: nothing was started: another run is at work, wrong params, no graph, or the
            videos cannot be divided so.
    """
    with only_run():
        params = load_section(PARAMS, TrainParams)
        params = with_network(params, asked.network or params.network)

        def begin() -> Folds:
            return Folds(_planned(asked, params))

        # To embed takes minutes, for which a network on frames has no use.
        without = ["embed"] if reads(params.network) == "frames" else []
        result = run_folds("crossval", Folds.unit, begin, asked.workers, echo, without)
        if result.error:
            return result, {}
        jobs = _planned(asked, params)
        return result, crossval.write(jobs, _outcomes(jobs), asked.words, params)


def _planned(asked: Asked, params: TrainParams) -> list[Job]:
    """The jobs, once the stages before `train` have run.

    Raises:
        DataError: a class has too few groups, or the network reads embeddings and there are none.
    """
    videos = prepared_videos()
    return jobs_of(_folds(asked, videos, params.seed), videos, params)


def _folds(asked: Asked, videos: pd.DataFrame, seed: int) -> list[Fold]:
    if asked.official:
        paths = list(videos["path"])
        splits = [read_split_lists([one], paths)[0] for one in asked.official]
        return official(videos, splits, seed)
    if asked.one_group_out:
        return one_group_out(videos, seed)
    return stratified(videos, asked.folds, asked.repeats, seed)


def _outcomes(jobs: list[Job]) -> list[Answered]:
    found = [one for job in jobs if (one := find(FOLDS, job))]
    if len(found) < len(jobs):
        raise DataError(f"{FOLDS} lost files while this ran: run the same command again.")
    return found
