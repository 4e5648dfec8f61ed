"""The flow `crossval`: how well a network does on groups that it has not seen, by many trainings.

The stages that `train` depends on run first, as in the flow `train`: videos are decoded and
embedded once. Then each fold is a task run that trains on some groups and answers for the others
(`tasks.fold`). What is done is kept in `.reelflow/crossval`, so that a cross-validation that was
killed goes on, and one that is asked for again costs nothing. Run it: `reelflow crossval` (see
`flows.engine.run_crossval`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from prefect import Flow, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.states import Cancelled, Completed, Failed

from flows.engine import stage_process
from flows.engine.dvc_graph import Node
from flows.engine.fold_program import FoldProgram, FoldPrograms, fold_programs
from flows.engine.outcome import RECORDER, StageOutcome
from flows.train import guarded, run_graph
from reelflow.crossval.kept import Job, find
from tasks.common.paths import FOLDS
from tasks.common.stage import sentence
from tasks.crossval import NAME


class _Turn:
    """A job and who does it; no value that Prefect would look into."""

    def __init__(self, job: Job, program: FoldProgram | None) -> None:
        self.job, self.program = job, program


def flow_of(
    nodes: list[Node], plan: Callable[[], list[Job]], workers: int
) -> Flow[[], State[None]]:
    """The flow: these nodes of the graph, then the jobs that `plan` gives, so many at once."""

    @flow(name="crossval")
    def crossval() -> State[None]:
        """Run the stages before `train`, then every fold that is not kept."""
        return guarded(lambda: _crossval(nodes, plan, workers), 0.0)

    return crossval


def _crossval(nodes: list[Node], plan: Callable[[], list[Job]], workers: int) -> State[None]:
    prepared = run_graph(nodes)
    if not prepared.is_completed():
        return prepared
    recorder, began = RECORDER.get(), time.monotonic()
    jobs = plan()
    kept = sum(find(FOLDS, job) is not None for job in jobs)
    with fold_programs(workers) as programs:
        error = _do(jobs, programs)
    seconds = time.monotonic() - began
    message = f"{len(jobs) - kept} done, {kept} kept" if kept else f"{len(jobs)} done"
    recorder.put(StageOutcome(NAME, "failed" if error else "ran", seconds, message))
    return Failed(message=error) if error else Completed(message=f"Folds: {message}.")


def _do(jobs: Sequence[Job], programs: FoldPrograms) -> str:
    """Do the jobs, each as a task run; the sentence of the first that failed, or nothing."""
    futures: list[PrefectFuture[Any]] = []
    failed: list[str] = []

    def turn(job: Job) -> _Turn:
        return _Turn(job, None if find(FOLDS, job) else programs.take())

    try:
        for job in jobs:
            mine = turn(job)
            if failed:
                break
            futures.append(
                run_fold.with_options(task_run_name=job.fold.name).submit(mine, programs, failed)
            )
        wait(futures)
    except BaseException:
        stage_process.stop_all()
        wait(futures)
        raise
    return failed[0] if failed else ""


@task(name="fold", cache_policy=NO_CACHE)
def run_fold(turn: Any, programs: Any, failed: Any) -> State[None]:
    """Do one fold as a task run, unless it is kept."""
    job = turn.job
    if turn.program is None:
        return Completed(name="Cached", message="It was done before.")
    log, recorder = get_run_logger(), RECORDER.get()
    began = time.monotonic()
    try:
        found = turn.program.do(job, log.info)
    except stage_process.StoppedError:
        return Cancelled(message="The run was stopped.")
    except Exception as error:  # noqa: BLE001 (Prefect would keep it to itself)
        failed.append(sentence(error))
        return Failed(message=failed[-1])
    finally:
        programs.give_back(turn.program)
    right = found.share_right({video: label for video, (label, _) in job.facts.items()})
    said = f"{job.fold.name}: {len(found.videos)} videos, accuracy {right:.3f}"
    recorder.line(f"{said}, {time.monotonic() - began:.1f} s")
    return Completed(message=said)
