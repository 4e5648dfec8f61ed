"""The graph, after the checks that come before any stage."""

from __future__ import annotations

from collections.abc import Callable

from flows.engine.dvc_graph import Node, clear_stale_locks, read_graph
from flows.engine.dvcignore import guard
from reelflow.evaluation.deciding_metric import check_deciding
from reelflow.params import load_section
from reelflow.params.register import RegisterParams
from tasks.common.paths import PARAMS


def checked_graph(line: Callable[[str], None] = lambda _: None) -> list[Node]:
    """Check params.yaml, guard `data/raw`, remove stale locks of DVC, and read the graph."""
    check_deciding(load_section(PARAMS, RegisterParams).metric)
    guard(line)
    clear_stale_locks()
    return read_graph()
