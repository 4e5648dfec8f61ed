"""How often a stage is tried again, and after which failures."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State, TaskRun

# Names of the failed states that are worth another try, and how many in all.
BUSY, UNAVAILABLE = "Busy", "Unavailable"
TRIES = {BUSY: 16, UNAVAILABLE: 2}  # the stage itself has asked a lost server for half a minute
WAITS_S: list[float] = [2, 5, 10, 20]


def may_pass(task: Any, run: TaskRun, state: State[Any]) -> bool:
    """Retry after what may pass (a lock, a lost server), never after a person's mistake."""
    return run.run_count < TRIES.get(state.name or "", 0)
