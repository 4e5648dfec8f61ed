"""`reelflow run` and `reelflow retrain`: provide the videos, run the graph, show the results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.videos import REPLACE
from reelflow.base.terminal import say


def run(
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled videos: a folder per class, or a csv path,label[,group]."),
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy videos into data/raw instead of linking them.")
    ] = False,
    replace: Annotated[bool, REPLACE] = False,
) -> None:
    """Run the pipeline on data/raw, on DATA, or, where there is neither, on sample videos."""
    from flows.raw_videos import provide

    _run_after(lambda: provide(data, copy=copy, replacing=replace, echo=say))


def retrain() -> None:
    """Take the videos of data/inbox into data/raw, then run what that changes."""
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
    leave(result)  # the process ends with the status of the run
