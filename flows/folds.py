"""The flows `crossval` and `search`: the stages before `train`, then trainings by folds.

The stages run first, as in the flow `train`: videos are decoded and embedded once. Then each fold
of a cross-validation, or each trial of a search, is a task run. Their `Work`
lists them. Run them: `reelflow crossval` and `reelflow search` (see `flows.engine.run_folds`).
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from prefect import Flow, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.states import Cancelled, Completed, Failed

from flows.engine import stage_process
from flows.engine.dvc_graph import Node
from flows.engine.fold_program import FoldProgram, fold_programs
from flows.engine.run_folds import Turn, Work
from flows.engine.stage_outcomes import RECORDER, StageOutcome
from flows.train import guarded, run_graph
from tasks.common.error_to_sentence import sentence


def flow_of(
    name: str, nodes: list[Node], begin: Callable[[], Work], workers: int
) -> Flow[[], State[None]]:
    """The flow of this name: these nodes of the graph, then the work, so many turns at once."""

    @flow(name=name)
    def by_folds() -> State[None]:
        """Run the stages before `train`, then what is left of the trainings."""
        return guarded(lambda: _run(nodes, begin, workers), 0.0)

    return by_folds


def _run(nodes: list[Node], begin: Callable[[], Work], workers: int) -> State[None]:
    prepared = run_graph(nodes)
    if not prepared.is_completed():
        return prepared
    began, work = time.monotonic(), begin()
    failed: list[str] = []
    with fold_programs(workers) as programs:
        _do_all(work, programs, failed)
    error, message = work.end(failed)
    outcome: Literal["failed", "ran"] = "failed" if error else "ran"
    ended = StageOutcome(f"{work.unit}s", outcome, time.monotonic() - began, error or message)
    RECORDER.get().put(ended)
    return Failed(message=error) if error else Completed(message=f"{work.unit}s: {message}.")


def _do_all(work: Work, programs: queue.Queue[FoldProgram], failed: list[str]) -> None:
    """Do the turns of the work, each as a task run."""
    futures: list[PrefectFuture[Any]] = []
    try:
        while (program := programs.get()) and (turn := work.next(failed)):
            run = run_turn.with_options(name=work.unit, task_run_name=turn.name)
            # A function hides its values, which Prefect would look into.
            futures.append(run.submit(partial(_do_turn, turn, program, failed, programs)))
        wait(futures)
    except BaseException:
        stage_process.stop_all()
        wait(futures)
        raise


@task(cache_policy=NO_CACHE)
def run_turn(do: Any) -> State[None]:
    """Do one fold or trial as a task run."""
    state: State[None] = do()
    return state


def _do_turn(
    turn: Turn, program: FoldProgram, failed: list[str], programs: queue.Queue[FoldProgram]
) -> State[None]:
    log, recorder = get_run_logger(), RECORDER.get()
    try:
        line = turn.do(lambda job: program.do(job, log.info))
    except stage_process.StoppedError:
        return Cancelled(message="The run was stopped.")
    except Exception as error:  # noqa: BLE001 (Prefect would keep it to itself)
        failed.append(sentence(error))
        recorder.line(f"{turn.name} failed: {failed[-1]}")
        return Failed(message=failed[-1])
    finally:
        programs.put(program)
    recorder.line(line)
    return Completed(message=line)
