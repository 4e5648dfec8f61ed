"""The flow `retrain`: take what is new in the inbox, then run the graph.

prefect.yaml schedules it for every night. It moves labelled videos from `data/inbox/` (a folder per
class) into `data/raw` exactly once, lets DVC note the new state, and runs what that changes in the
graph. With nothing new and nothing changed it ends within seconds.
Run it: `reelflow retrain`, the deployment `retrain`, or `python -m flows.retrain`.
"""

from __future__ import annotations

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.raw_videos import take_in
from flows.train import PATIENCE_S, graph, guarded, run_graph
from reelflow.intake.inbox import SETTLE_S
from tasks.common.error_to_sentence import sentence


@task(name="inbox", task_run_name="inbox", cache_policy=NO_CACHE)
def take_inbox(settle_s: float) -> State[None]:
    """Take the inbox into `data/raw`: the state has the counts, the log the names."""
    log = get_run_logger().info
    try:
        report = take_in(log, settle_s)
    except Exception as error:  # noqa: BLE001 (Prefect would keep it to itself)
        return Failed(message=sentence(error))
    for path in report.known:
        log(f"known, taken out of the inbox: {path}")
    counts = f"{len(report.new)} new, {len(report.known)} known, {len(report.left)} left"
    return Completed(message=f"Inbox: {counts}.")


@flow(name="retrain")
def retrain(settle_s: float = SETTLE_S, wait_s: float = PATIENCE_S) -> State[None]:
    """Take new labelled videos from the inbox, then run what changed of the graph.

    Args:
        settle_s: videos that changed less than this many seconds ago are left for the next time.
        wait_s: seconds to wait for another run in this checkout.
    """
    return guarded(lambda: _retrain(settle_s), wait_s)


def _retrain(settle_s: float) -> State[None]:
    nodes = graph()
    taken = take_inbox(settle_s, return_state=True)
    if not taken.is_completed():
        return Failed(message=taken.message)
    ended = run_graph(nodes)
    ended.message = f"{taken.message} {ended.message}"
    return ended


if __name__ == "__main__":
    retrain()
