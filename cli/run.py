"""`reelflow run` and `reelflow retrain`: provide the videos, run the graph, say what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reelflow.base.terminal import say


def run_command(data: Path | None, *, copy: bool, replacing: bool) -> None:
    """Run the pipeline; the process ends with the status of the run."""
    from flows.raw_videos import provide

    _run_after(lambda: provide(data, copy=copy, replacing=replacing, echo=say))


def retrain_command() -> None:
    """Take the inbox in, then run what that changes; the process ends with the run's status."""
    _run_after(_take_inbox)


def _take_inbox() -> None:
    from flows.raw_videos import take_in

    report = take_in(say)
    print(f"inbox: {len(report.new)} new, {len(report.known)} known, {len(report.left)} left")


def _run_after(provide_videos: Callable[[], None]) -> None:
    from cli.summary import print_summary
    from flows.engine.run_lock import only_run
    from flows.engine.run_pipeline import leave, run_pipeline

    with only_run():
        provide_videos()
        result = run_pipeline(echo=say)
        print_summary(result)
    leave(result)
