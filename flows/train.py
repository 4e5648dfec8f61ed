"""The flow `train`: the graph of `dvc.yaml` as Prefect task runs.

Each stage is a task run with the stage's name and upstream, its log lines live, its metrics as an
artifact, and the state `Cached` if DVC had nothing to do. Independent stages run at once. Prefect
shows, retries and schedules; DVC alone decides what must run.
Run it: `reelflow run` (see `flows.engine.run_pipeline`), the deployment `train` in prefect.yaml, or
`python -m flows.train`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.exceptions import FailedRun
from prefect.futures import PrefectFuture, wait
from prefect.states import Cancelled, Completed, Failed

from flows.engine import stage_process
from flows.engine.checked_graph import checked_graph
from flows.engine.dvc_graph import BusyError, Node
from flows.engine.dvc_repro import reproduce
from flows.engine.params_override import set_params
from flows.engine.prefect_artifacts import show_reports
from flows.engine.retries import BUSY, TRIES, UNAVAILABLE, WAITS_S, may_pass
from flows.engine.run_lock import only_run
from flows.engine.stage_outcomes import RECORDER, Outcome, Recorder, StageOutcome
from flows.engine.unseen_by_dvc import missing_effect
from flows.engine.why_stages_run import changes
from reelflow.base.errors import UnavailableError
from tasks.common.error_to_sentence import sentence
from tasks.common.paths import PARAMS

# A deployment that finds another run at work waits this long for it, then fails with a sentence.
PATIENCE_S = 3600.0


@task(
    cache_policy=NO_CACHE,
    retries=max(TRIES.values()) - 1,
    retry_delay_seconds=WAITS_S,
    retry_condition_fn=may_pass,
)
def run_node(node: Node) -> State[None]:
    """Run one node of the graph as a task run; its state has the outcome."""
    recorder = RECORDER.get()
    log = get_run_logger()
    began = time.monotonic()

    def line(text: str) -> None:
        log.info(text)
        recorder.line(text)

    def ended(outcome: Outcome, message: str, state: State[None]) -> State[None]:
        recorder.put(StageOutcome(node.name, outcome, time.monotonic() - began, message))
        return state

    try:
        why = changes(node.name).get(node.name, "")
        ran = bool(why) and _reproduce_because(why, node, line)
        effect = missing_effect(node.name)
        if effect:
            ran = _reproduce_because(effect, node, line, force=True)
        show_reports(node)
    except stage_process.StoppedError:
        return ended("not run", "stopped", Cancelled(message="The run was stopped."))
    except Exception as error:  # noqa: BLE001 (Prefect would keep it to itself)
        said, name = sentence(error), "Failed"
        if isinstance(error, UnavailableError):
            name = BUSY if isinstance(error, BusyError) else UNAVAILABLE
        return ended("failed", said, Failed(name=name, message=said))
    if ran:
        return ended("ran", why or effect, Completed(message=f"Ran: {why or effect}"))
    outcome: Outcome = "restored" if why else "nothing to do"
    known = "DVC had the outputs in its run cache." if why else "DVC had nothing to do."
    return ended(outcome, why, Completed(name="Cached", message=known))


def _reproduce_because(
    why: str, node: Node, line: Callable[[str], None], *, force: bool = False
) -> bool:
    line(f"{node.name}: runs because: {why}")
    return reproduce(node.name, line, force=force)


def run_graph(nodes: list[Node]) -> State[None]:
    """Submit every stage with its upstream, wait, and sum up. Call it inside a flow.

    A data source gets a task run only when its files changed: DVC then takes them as they are.
    """
    recorder = RECORDER.get()
    stale = changes()
    nodes = [node for node in nodes if not node.is_source or node.name in stale]
    futures: dict[str, PrefectFuture[Any]] = {}
    try:
        for node in nodes:
            run: Any = run_node.with_options(name=node.name, task_run_name=node.name)
            upstream = [futures[up] for up in node.upstream if up in futures]
            futures[node.name] = run.submit(node, wait_for=upstream)
        wait(list(futures.values()))
    except BaseException:
        stage_process.stop_all()
        wait(list(futures.values()))
        raise
    return _sum_up(recorder, [node.name for node in nodes])


def _sum_up(recorder: Recorder, order: list[str]) -> State[None]:
    result = recorder.result(order)
    failed = [each for each in result.stages if each.outcome == "failed"]
    if failed:
        return Failed(message="\n".join(each.message for each in failed))
    left = [each.stage for each in result.stages if each.outcome == "not run"]
    if left:
        return Failed(message=f"These stages were not run: {', '.join(left)}.")
    if result.nothing_to_do:
        return Completed(message="Nothing changed: nothing to do.")
    ran = [each.stage for each in result.stages if each.outcome != "nothing to do"]
    return Completed(message=f"Done: {', '.join(ran)}.")


def graph() -> list[Node]:
    """The graph, which the command line has read and checked already; a deployment does it here."""
    return RECORDER.get().nodes or checked_graph(get_run_logger().info)


def _is_news(record: logging.LogRecord) -> bool:
    """Prefect logs a traceback of its own for every failed state; ours carry the whole text."""
    return not (record.exc_info and isinstance(record.exc_info[1], FailedRun))


logging.getLogger("prefect.flow_runs").addFilter(_is_news)


@flow(name="train")
def train(params: dict[str, Any] | None = None, wait_s: float = PATIENCE_S) -> State[None]:
    """Run the graph of `dvc.yaml`; only what changed is run.

    Args:
        params: values to write into params.yaml first, e.g. `{"train.epochs": 3}`.
        wait_s: seconds to wait for another run in this checkout.
    """
    return guarded(lambda: _train(params), wait_s)


def _train(params: dict[str, Any] | None) -> State[None]:
    if params:
        set_params(PARAMS, params)
    return run_graph(graph())


def guarded(work: Callable[[], State[None]], wait_s: float) -> State[None]:
    """Do the work of a flow as the only run in the checkout; an error becomes a failed state."""
    token = None if RECORDER.get(None) else RECORDER.set(Recorder())
    deadline = time.monotonic() + wait_s
    try:
        while True:
            try:
                with only_run(wait_s):
                    return work()
            except BusyError:  # perhaps a person's `dvc push`; what was done is kept
                if time.monotonic() > deadline:
                    raise
                time.sleep(5.0)
    except Exception as error:  # noqa: BLE001 (Prefect would show a traceback of its own)
        return Failed(message=sentence(error))
    except KeyboardInterrupt:
        return Cancelled(message="Stopped by hand.")
    finally:
        stage_process.allow()
        if token:
            RECORDER.reset(token)


if __name__ == "__main__":
    train()
