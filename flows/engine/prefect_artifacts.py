"""Artifacts of a run in Prefect: a table of each stage's figures, a page on the inbox."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.engine.dvc_graph import Node
from flows.engine.outcome import RECORDER
from reelflow.base.nested import flatten
from reelflow.intake.inbox import InboxReport
from tasks.common.inputs import read_json


def show_reports(node: Node) -> None:
    """Show what a stage reports as tables, one for each file."""
    for path in node.reports:
        if path.is_file():
            figures = flatten(read_json(path))
            _send(
                create_table_artifact,
                table=[{"metric": name, "value": value} for name, value in figures.items()],
                key=re.sub("[^a-z0-9]", "-", path.with_suffix("").as_posix().lower()),
                description=f"What the stage `{node.name}` reports",
            )


def show_inbox(report: InboxReport) -> None:
    """Show which videos were taken from the inbox, and which were left there and why."""
    lines = [f"**{len(report.new)} new, {len(report.known)} known, {len(report.left)} left**", ""]
    lines += [f"- new: `{path}`" for path in report.new]
    lines += [f"- known, taken out of the inbox: `{path}`" for path in report.known]
    lines += [f"- left: `{path}`: {reason}" for path, reason in report.left]
    _send(create_markdown_artifact, markdown="\n".join(lines), key="inbox")


def _send(create: Callable[..., object], **content: object) -> None:
    """Send an artifact to the Prefect server; if the server is lost, the work goes on.

    Prefect's client has tried several times before it raises, so it is not asked a second time.
    The end of the flow fails with a sentence when the server has not come back by then.
    """
    recorder = RECORDER.get()
    if recorder.server_lost:
        return
    try:
        create(**content)
    except (httpx.HTTPError, OSError) as error:
        recorder.server_lost = True
        recorder.line(f"The Prefect server does not answer ({type(error).__name__}); going on.")
