"""Which stages DVC would run, and why: what has changed, in a few words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flows.engine.dvc_graph import dvc_repo, own_stages

_CODE = ("reelflow/", "tasks/")


def changes(name: str | None = None) -> dict[str, str]:
    """Which nodes DVC would run, and why, in a few words; empty if there is nothing to do.

    Args:
        name: ask for this node alone, whatever the state of its upstream.

    Raises:
        GraphError, BusyError: as `read_graph`.
    """
    with dvc_repo() as repo:
        names = [name] if name else [stage.addressing for stage in own_stages(repo)]
        found = repo.status(names) if names else {}
    return {node: _briefly(list(_reasons(why))) for node, why in found.items()}


def _briefly(reasons: list[str], most: int = 3) -> str:
    """The first reasons, data before code, and the number of the others."""
    ordered = sorted(reasons, key=lambda reason: reason.startswith(_CODE))
    more = [f"{len(reasons) - most} more"] if len(reasons) > most else []
    return "; ".join([*ordered[:most], *more])


def _reasons(why: Any) -> Iterator[str]:
    """DVC's nested findings, flat: `data/raw modified`, `params train.epochs modified`."""
    if isinstance(why, list):
        for finding in why:
            yield from _reasons(finding)
    elif isinstance(why, dict):
        for key, value in why.items():
            for reason in _reasons(value):
                shown = key.removeprefix("changed ")
                yield reason if shown in ("deps", "outs") else f"{shown} {reason}"
    else:
        yield str(why)
