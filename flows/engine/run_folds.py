"""Trainings by folds from the command line: what a cross-validation and a search share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from flows.engine.checked_graph import checked_graph
from flows.engine.dvc_graph import Node
from flows.engine.run_pipeline import run_flow
from flows.engine.stage_outcomes import PipelineResult
from flows.engine.why_stages_run import changes
from reelflow.crossval.figures import Answered
from reelflow.crossval.finished_folds import Job

Do = Callable[[Job], Answered]


@dataclass(frozen=True)
class Turn:
    """A task run: its name, and what it does, given what does a fold; returns a line on it."""

    name: str
    do: Callable[[Do], str]


class Work(Protocol):
    """Work that is done by folds; `unit` is the word for what a turn does."""

    unit: ClassVar[str]

    @property
    def left(self) -> int:
        """Turns that are left to do."""

    def next(self, failed: Sequence[str]) -> Turn | None:
        """The next turn, given the sentences of those that failed; None if there is none."""

    def end(self, failed: Sequence[str]) -> tuple[str, str]:
        """What went wrong, or nothing, and what was done, once all turns have ended."""


def run_folds(
    name: str,
    unit: str,
    begin: Callable[[], Work],
    workers: int,
    echo: Callable[[str], None],
    without: Collection[str] = (),
) -> PipelineResult:
    """Run the flow of this name; with nothing to do neither Prefect nor a server is started.

    Args:
        name: of the flow.
        unit: as that of the work.
        begin: the work, once the stages before `train` are up to date.
        workers: turns at once.
        echo: takes each line for a console.
        without: stages before `train` whose outputs nobody reads here.

    Returns:
        the outcome of the stages and of the turns together; empty with nothing to do.
    """
    nodes = [node for node in _before_train(checked_graph()) if node.name not in without]
    stale = changes()
    if not any(node.name in stale for node in nodes) and not begin().left:
        return PipelineResult([])

    def flow_of() -> Any:
        from flows.folds import flow_of

        return flow_of(name, nodes, begin, workers)

    order = [*(node.name for node in nodes if not node.is_source), f"{unit}s"]
    return run_flow(flow_of, nodes, order, echo)


def _before_train(nodes: list[Node]) -> list[Node]:
    """The nodes that the stage `train` depends on, in the order of the graph."""
    wanted = {"train"}
    for node in reversed(nodes):  # each stands after all of its upstream
        if node.name in wanted:
            wanted.update(node.upstream)
    return [node for node in nodes if node.name in wanted - {"train"}]
