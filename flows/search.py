"""The flow `search`: which settings serve these videos best, trial by trial.

The stages that `train` depends on run first. Then each trial is a task run: settings drawn from
`search.space` in params.yaml, judged by folds of whole groups of the training and validation
videos; the test takes no part. A trial that falls behind is pruned between two folds. Run it:
`reelflow search` (see `flows.engine.run_search`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from prefect import Flow, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture, wait
from prefect.states import Cancelled, Completed, Failed

from flows.engine import stage_process
from flows.engine.dvc_graph import Node
from flows.engine.fold_program import FoldError, FoldProgram, FoldPrograms, fold_programs
from flows.engine.outcome import RECORDER, StageOutcome
from flows.engine.trials import TRIALS, Trials
from flows.train import guarded, run_graph
from tasks.common.stage import sentence


def flow_of(nodes: list[Node], trials_of: Callable[[], Trials], workers: int) -> Flow[[], Any]:
    """The flow: these nodes of the graph, then the trials, so many at once."""

    @flow(name="search")
    def search() -> State[None]:
        """Run the stages before `train`, then the trials that are left."""
        return guarded(lambda: _search(nodes, trials_of, workers), 0.0)

    return search


def _search(nodes: list[Node], trials_of: Callable[[], Trials], workers: int) -> State[None]:
    prepared = run_graph(nodes)
    if not prepared.is_completed():
        return prepared
    recorder, began = RECORDER.get(), time.monotonic()
    trials = trials_of()
    before = trials.done
    with fold_programs(workers) as programs:
        failed = _do(trials, programs)
    error = "" if trials.best else f"No trial came to its end. {failed}"
    message = f"{trials.done - before} done, {before} before"
    outcome = "failed" if error else "ran"
    recorder.put(StageOutcome(TRIALS, outcome, time.monotonic() - began, error or message))
    return Failed(message=error) if error else Completed(message=f"Trials: {message}.")


class _Turn:
    """A trial and who does it; no value that Prefect would look into."""

    def __init__(self, trials: Trials, program: FoldProgram, said: list[str]) -> None:
        self.trials, self.program, self.said = trials, program, said


def _do(trials: Trials, programs: FoldPrograms) -> str:
    """Do the trials that are left, each as a task run; the last sentence of one that failed."""
    futures: list[PrefectFuture[Any]] = []
    said: list[str] = []
    try:
        for _ in range(trials.left):
            program = programs.take()
            if not trials.left:  # another machine has done the last one
                programs.give_back(program)
                break
            turn = _Turn(trials, program, said)
            futures.append(run_trial.submit(turn, programs))
        wait(futures)
    except BaseException:
        stage_process.stop_all()
        wait(futures)
        raise
    return said[-1] if said else ""


@task(name="trial", cache_policy=NO_CACHE)
def run_trial(turn: Any, programs: Any) -> State[None]:
    """Do one trial as a task run."""
    log, recorder = get_run_logger(), RECORDER.get()
    try:
        line = turn.trials.run(lambda job: turn.program.do(job, log.info))
    except stage_process.StoppedError:
        return Cancelled(message="The search was stopped.")
    except FoldError as error:
        turn.said.append(str(error))
        recorder.line(f"a trial failed: {error}")
        return Failed(message=str(error))
    except Exception as error:  # noqa: BLE001 (Prefect would keep it to itself)
        turn.said.append(sentence(error))
        return Failed(message=turn.said[-1])
    finally:
        programs.give_back(turn.program)
    recorder.line(line)
    return Completed(message=line)
