"""`reelflow run` and `reelflow retrain`: provide the videos, run the graph, show the results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.import_and_remove import REPLACE
from reelflow.base.terminal import say

if TYPE_CHECKING:
    from flows.engine.stage_outcomes import PipelineResult


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

    run_after(lambda: provide(data, copy=copy, replacing=replace, echo=say), _pipeline)


def retrain() -> None:
    """Take the videos of data/inbox into data/raw, then run what that changes."""
    run_after(_take_inbox, _pipeline)


def _take_inbox() -> None:
    from flows.raw_videos import take_in

    report = take_in(say)
    print(f"inbox: {len(report.new)} new, {len(report.known)} known, {len(report.left)} left")


def _pipeline() -> PipelineResult:
    from cli.summary import print_summary
    from flows.engine.run_pipeline import run_pipeline

    result = run_pipeline(echo=say)
    print_summary(result)
    return result


def run_on(
    data: Path | None, work: Callable[[], tuple[PipelineResult, Any]], show: Callable[[Any], None]
) -> None:
    """Provide `data`, if there is any, run as `run_after`, and show what came of it."""
    from cli.summary import print_stages
    from flows.raw_videos import provide

    def run_and_show() -> PipelineResult:
        result, found = work()
        if result.stages:
            print_stages(result)
        if found:
            show(found)
        return result

    run_after(lambda: provide(data, copy=False, replacing=False, echo=say), run_and_show)


def run_after(provide_videos: Callable[[], None], work: Callable[[], PipelineResult]) -> None:
    """Provide videos and run, with nothing else in between; the process ends with its status."""
    from flows.engine.run_lock import only_run
    from flows.engine.run_pipeline import leave

    with only_run():
        provide_videos()
        result = work()
    leave(result)
