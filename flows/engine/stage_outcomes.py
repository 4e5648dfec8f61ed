"""The outcome of each stage of a run, as plain values."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from flows.engine.dvc_graph import Node

Outcome = Literal["ran", "nothing to do", "restored", "failed", "not run"]


@dataclass(frozen=True)
class StageOutcome:
    """One stage of one run.

    Attributes:
        stage: its name in `dvc.yaml`.
        outcome: `restored`: DVC had the outputs of the same work in its run cache.
        seconds: wall clock, with DVC's own work around the stage.
        message: why it ran, why it failed, or why not run.
    """

    stage: str
    outcome: Outcome
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class PipelineResult:
    """The outcome of a run of the whole graph.

    Attributes:
        stages: in the order of the graph.
        error: one text for a person; empty if all went well.
        interrupted: a person stopped it (Ctrl-C, SIGTERM).
        server_lost: the Prefect server was lost; `error` has a sentence on it.
    """

    stages: list[StageOutcome]
    error: str = ""
    interrupted: bool = False
    server_lost: bool = False

    @property
    def exit_code(self) -> int:
        """0: all done · 1: an error · 130: interrupted."""
        return 130 if self.interrupted else int(bool(self.error))

    @property
    def nothing_to_do(self) -> bool:
        """Every stage was up to date."""
        return not self.error and all(each.outcome == "nothing to do" for each in self.stages)


@dataclass
class Recorder:
    """Collects outcomes, and lines for a console, from the threads of one run.

    Attributes:
        echo: takes each line.
        nodes: the graph, once it is read and checked; none if the flow has to do it.
        outcomes: by stage.
        guard: held while one of the threads prints.
        server_lost: an artifact could not be sent to the Prefect server.
    """

    echo: Callable[[str], None] = lambda line: None
    nodes: list[Node] = field(default_factory=list)
    outcomes: dict[str, StageOutcome] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)
    server_lost: bool = False

    def line(self, text: str) -> None:
        """One line for the console; lines of stages that run at once never mix."""
        with self.guard:
            self.echo(text)

    def put(self, outcome: StageOutcome) -> None:
        """Record the outcome of a stage; the last one counts if it was tried again."""
        self.outcomes[outcome.stage] = outcome

    def result(self, order: list[str], error: str = "") -> PipelineResult:
        """The result of a run over the stages `order`; stages never reached were not run."""
        stages = [self.outcomes.get(name, StageOutcome(name, "not run")) for name in order]
        return PipelineResult(stages, error)


# The recorder of the run at hand; threads that Prefect starts inherit it with their context.
RECORDER: ContextVar[Recorder] = ContextVar("recorder")
