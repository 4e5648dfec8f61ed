"""Artifacts of a run in Prefect: a table of the figures of each stage."""

from __future__ import annotations

import re

import httpx
from prefect.artifacts import create_table_artifact

from flows.engine.dvc_graph import Node
from flows.engine.stage_outcomes import RECORDER
from reelflow.base.nested import flatten
from tasks.common.stage_inputs import read_json


def show_reports(node: Node) -> None:
    """Show what a stage reports as tables, one for each file; a lost server stops no work.

    Prefect's client has tried several times before it raises, so it is not asked a second time.
    The end of the flow fails with a sentence when the server has not come back by then.
    """
    recorder = RECORDER.get()
    for path in node.reports:
        if not path.is_file() or recorder.server_lost:
            continue
        try:
            create_table_artifact(
                table=[{"metric": n, "value": v} for n, v in flatten(read_json(path)).items()],
                key=re.sub("[^a-z0-9]", "-", path.with_suffix("").as_posix().lower()),
                description=f"What the stage `{node.name}` reports",
            )
        except (httpx.HTTPError, OSError) as error:
            recorder.server_lost = True
            recorder.line(f"The Prefect server does not answer ({type(error).__name__}); going on.")
