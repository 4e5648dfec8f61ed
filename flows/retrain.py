"""The flow `retrain`: take what is new in the inbox, then run the graph.

Nightly by its schedule in prefect.yaml. Labelled videos in `data/inbox/` (a folder per class) go
into `data/raw` once and only once, DVC notes the new state of `data/raw`, and the graph runs what
that changes. With nothing new and nothing changed it asks DVC and ends within seconds.
Run it: `reelflow retrain`, the deployment `retrain`, or `python -m flows.retrain`.
"""

from __future__ import annotations

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.raw_videos import SETTLE_S, take_in
from flows.train import PATIENCE_S, checked_nodes, guarded, run_graph, with_patience
from reelflow.base.errors import ReelflowError
from reelflow.intake.inbox import InboxReport
from tasks.common.stage import unexpected


@task(name="inbox", task_run_name="inbox", cache_policy=NO_CACHE)
def take_inbox(settle_s: float) -> State[None]:
    """The inbox into `data/raw`, as a task run: how many in its state, which in an artifact."""
    try:
        report = take_in(get_run_logger().info, settle_s)
    except (ReelflowError, OSError) as error:
        return Failed(message=str(error))
    except Exception as error:  # noqa: BLE001 (Prefect would keep it to itself)
        return Failed(message=unexpected(error))
    with_patience(lambda: create_markdown_artifact(as_markdown(report), key="inbox"))
    counts = f"{len(report.new)} new, {len(report.known)} known, {len(report.left)} left"
    return Completed(message=f"Inbox: {counts}.")


def as_markdown(report: InboxReport) -> str:
    """The report as a page of Prefect's UI."""
    lines = [f"**{len(report.new)} new, {len(report.known)} known, {len(report.left)} left**", ""]
    lines += [f"- new: `{path}`" for path in report.new]
    lines += [f"- known, taken out of the inbox: `{path}`" for path in report.known]
    lines += [f"- left: `{path}`: {reason}" for path, reason in report.left]
    return "\n".join(lines)


@flow(name="retrain")
def retrain(settle_s: float = SETTLE_S, wait_s: float = PATIENCE_S) -> State[None]:
    """Take new labelled videos from the inbox, then run what changed of the graph.

    Args:
        settle_s: videos that changed less than this many seconds ago are left for the next time.
        wait_s: seconds to wait for another run in this checkout.
    """
    return guarded(lambda: _retrain(settle_s), wait_s)


def _retrain(settle_s: float) -> State[None]:
    nodes = checked_nodes()
    taken = take_inbox(settle_s, return_state=True)
    if not taken.is_completed():
        return Failed(message=taken.message)
    ended = run_graph(nodes)
    ended.message = f"{taken.message} {ended.message}"
    return ended


if __name__ == "__main__":
    retrain()
