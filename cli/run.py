"""`reelflow run` and `reelflow retrain`: provide the videos, run the graph, say what came of it."""

from __future__ import annotations

from pathlib import Path


def run_command(data: Path | None, *, copy: bool) -> None:
    """Run the pipeline; the process ends with the status of the run."""
    from cli.summary import print_summary
    from flows.lock import only_run
    from flows.raw import provide
    from flows.run import leave, run_pipeline

    with only_run():
        provide(data, copy=copy, echo=print)
        result = run_pipeline()
        print_summary(result)
    leave(result)


def retrain_command() -> None:
    """Take the inbox in, then run what that changes; the process ends with the run's status."""
    from cli.summary import print_summary
    from flows.intake import take_in
    from flows.lock import only_run
    from flows.run import leave, run_pipeline

    with only_run():
        report = take_in(print)
        print(f"inbox: {len(report.new)} new, {len(report.known)} known, {len(report.left)} left")
        result = run_pipeline()
        print_summary(result)
    leave(result)
