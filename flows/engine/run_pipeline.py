"""A run of the pipeline from the command line: `run_pipeline`, which `reelflow run` prints.

With nothing to do, by DVC and the registry, neither Prefect nor a server is started. Otherwise the
flow `train` runs in this process, with the server that `flows.engine.prefect_server` finds or
starts.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import httpx

from flows.engine import prefect_server, stage_process
from flows.engine.checked_graph import checked_graph
from flows.engine.dvc_graph import Node
from flows.engine.run_lock import only_run
from flows.engine.stage_outcomes import RECORDER, PipelineResult, Recorder, StageOutcome
from flows.engine.unseen_by_dvc import missing_effect
from flows.engine.why_stages_run import changes

_STOPPED = (
    "Stopped. What the finished stages computed is kept; run the same command again to go on."
)
_LOST = (
    "The Prefect server stopped answering, also after several tries. What the finished stages "
    "computed is kept; run the same command again, with the server up, to go on."
)

# Read when Prefect is imported, unless the user has set them.
_PREFECT_SETTINGS = {
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    # Waits of 2, 4, 8 and 16 s: longer than a server takes to start again.
    "PREFECT_CLIENT_MAX_RETRIES": "4",
}


def run_pipeline(echo: Callable[[str], None] = print) -> PipelineResult:
    """Run what changed of the graph in `dvc.yaml`, as the Prefect flow `train`.

    Args:
        echo: takes each line of the stages, live, for a console.

    Returns:
        the outcome of each stage, also when one failed or Ctrl-C stopped the run.

    Raises:
        ReelflowError: nothing was started: another run is at work, wrong params, no graph.
    """
    with only_run():
        nodes = checked_graph()
        stages = [node.name for node in nodes if not node.is_source]
        if not changes() and not any(missing_effect(stage) for stage in stages):
            return PipelineResult([StageOutcome(stage, "nothing to do") for stage in stages])
        return run_flow(_flow_train, nodes, stages, echo)


def _flow_train() -> Any:
    from flows.train import train

    return train


def run_flow(
    flow_of: Callable[[], Any], nodes: list[Node], order: list[str], echo: Callable[[str], None]
) -> PipelineResult:
    """Run a flow in this process, with a Prefect server.

    Args:
        flow_of: gives the flow, called without arguments. It imports Prefect, which reads its
            settings then.
        nodes: the graph, read and checked.
        order: the stages of which the flow records an outcome.
        echo: takes each line of the stages.

    Returns:
        as `run_pipeline`.
    """
    recorder = Recorder(echo, nodes)
    token = RECORDER.set(recorder)
    try:
        with stage_process.sigterm_as_ctrl_c(), prefect_server.for_a_run() as wait_for_server:
            for name, value in _PREFECT_SETTINGS.items():
                os.environ.setdefault(name, value)
            flow = flow_of()
            wait_for_server()
            _quiet_logging()
            return _judge(flow, recorder, order)
    except KeyboardInterrupt:
        return _stopped(recorder, order)
    finally:
        RECORDER.reset(token)


def _judge(flow: Any, recorder: Recorder, order: list[str]) -> PipelineResult:
    from prefect.exceptions import PrefectException

    try:
        state = flow(return_state=True)
    except (httpx.HTTPError, PrefectException, RuntimeError):
        if prefect_server.answers(prefect_server.health_of_api()):
            raise
        return replace(recorder.result(order, _LOST), server_lost=True)
    finally:
        _send_the_rest()
    if state.is_cancelled():
        return _stopped(recorder, order)
    return recorder.result(order, "" if state.is_completed() else str(state.message))


def _stopped(recorder: Recorder, order: list[str]) -> PipelineResult:
    """The result of a run that was stopped, unless its last stage had ended by then."""
    result = recorder.result(order)
    if all(each.outcome not in ("failed", "not run") for each in result.stages):
        return result
    return replace(result, error=_STOPPED, interrupted=True)


def _send_the_rest() -> None:
    """Wait until the last log lines and states are sent: our own server stops after this."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=10.0, at_exit=False)
    EventsWorker.drain_all(timeout=10.0, at_exit=False)


def leave(result: PipelineResult) -> NoReturn:
    """End this process with the status of `result`.

    Prefect's threads would try for minutes to send their last lines to a server that is lost. Then
    the process ends without them: nothing of ours is open any more.
    """
    if result.server_lost:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(result.exit_code)
    sys.exit(result.exit_code)


def _quiet_logging() -> None:
    """Send Prefect's own lines to its server alone; the console shows those of the stages.

    Its log sender prints nothing about a lost server either: one sentence at the end does.
    """
    log = logging.getLogger("prefect")
    log.propagate = logging.raiseExceptions = False
    log.addHandler(logging.NullHandler())
