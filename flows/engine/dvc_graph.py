"""The bridge to DVC: its graph as plain values, and what has changed.

`dvc.yaml` is the only place where the order of stages is written; here it is read through DVC's
API, never repeated. Questions are asked in this process (some 20 ms a stage). Working directory:
the top folder of the project.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelflow.base.errors import ReelflowError, UnavailableError
from tasks.common.paths import METRICS

if TYPE_CHECKING:
    from dvc.repo import Repo

_CODE = ("reelflow/", "tasks/")

# DVC's lock is a file lock on a handle of its own: two threads of one process exclude each other.
_one_question = threading.Lock()


class GraphError(ReelflowError):
    """DVC cannot read the graph or the state of the project."""


class BusyError(UnavailableError):
    """Another DVC command is at work in this project."""


@dataclass(frozen=True)
class Node:
    """A stage of the graph, or a data source (`*.dvc`) that stages read.

    Attributes:
        name: as DVC addresses it, e.g. `train`, `data/raw.dvc`.
        upstream: names of the nodes whose outputs it reads.
        reports: what it reports, JSON files in `metrics/`.
        is_source: it has no command; DVC takes its present files as they are.
    """

    name: str
    upstream: tuple[str, ...]
    reports: tuple[Path, ...]
    is_source: bool


def read_graph() -> list[Node]:
    """Every node of the project, each after all of its upstream: the stages of the `dvc.yaml` at
    the top, and the sources that they read.

    Raises:
        GraphError: no DVC project here, a `dvc.yaml` that DVC refuses, a cycle.
        BusyError: another DVC command holds the project.
    """
    with dvc_repo() as repo:
        edges = repo.index.graph
        own = _own(repo)
        nodes = {
            stage.addressing: Node(
                name=stage.addressing,
                upstream=tuple(
                    sorted(other.addressing for other in edges.successors(stage) if other in own)
                ),
                reports=tuple(
                    path
                    for out in stage.outs
                    if (path := Path(os.path.relpath(out.fs_path, repo.root_dir))).parent == METRICS
                ),
                is_source=not stage.cmd,
            )
            for stage in own
        }
    order = TopologicalSorter({node.name: node.upstream for node in nodes.values()})
    return [nodes[name] for name in order.static_order()]


def _own(repo: Repo) -> list[Any]:
    """The stages of this project. DVC would also take a `dvc.yaml` or a `.dvc` of any folder below,
    say of a data set that was unpacked here: those are somebody else's commands."""
    top = [stage for stage in repo.index.stages if stage.path_in_repo == "dvc.yaml"]
    read = {other for stage in top for other in repo.index.graph.successors(stage)}
    return [*top, *(other for other in read if not other.cmd)]


def changes(name: str | None = None) -> dict[str, str]:
    """What DVC would have to do, by node: why, in a few words. Empty: nothing to do.

    Args:
        name: ask for one node alone; its upstream is then taken as it is.

    Raises:
        GraphError, BusyError: as `read_graph`.
    """
    with dvc_repo() as repo:
        names = [name] if name else [stage.addressing for stage in _own(repo)]
        found = repo.status(names) if names else {}
    return {node: _briefly(list(_reasons(why))) for node, why in found.items()}


def _briefly(reasons: list[str], most: int = 3) -> str:
    """The first reasons, those of data before those of code, and how many more there are."""
    ordered = sorted(reasons, key=lambda reason: reason.startswith(_CODE))
    more = [f"{len(reasons) - most} more"] if len(reasons) > most else []
    return "; ".join([*ordered[:most], *more])


def clear_stale_locks() -> None:
    """Drop what a killed DVC left in `.dvc/tmp/rwlock` and DVC would trip over for ever.

    DVC drops entries of processes that are gone. It keeps those whose number some new process got
    (common after a restart of a container) and cannot read a file that was cut short. All edits
    of that file happen under the project's lock, which is held here.
    """
    import psutil

    with dvc_repo() as repo, repo.lock:
        path = Path(str(repo.tmp_dir)) / "rwlock"
        try:
            written = path.stat().st_mtime
            holders = _holders(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError, AttributeError):
            path.unlink()
            return
        for holder in holders:
            try:
                began = psutil.Process(holder).create_time()
            except psutil.NoSuchProcess:
                continue
            if began > written + 1.0:  # it was not there when the file was last written
                path.unlink()
                return


def _holders(entries: dict[str, Any]) -> set[int]:
    readers = [info for infos in entries.get("read", {}).values() for info in infos]
    return {int(info["pid"]) for info in [*readers, *entries.get("write", {}).values()] if info}


@contextmanager
def dvc_repo() -> Iterator[Repo]:
    """A fresh `Repo`: an old one remembers the `dvc.lock` that it read.

    Raises:
        GraphError, BusyError: as `read_graph`.
    """
    from dvc.exceptions import DvcException
    from dvc.lock import LockError
    from dvc.repo import Repo

    try:
        with _one_question, Repo() as repo:
            yield repo
    except LockError as error:
        raise BusyError(busy_sentence(str(error))) from None
    except DvcException as error:
        detail = f"{error} ({error.__cause__})" if error.__cause__ else str(error)
        raise GraphError(
            f"DVC cannot read this project: {detail}. `dvc dag` says more; run the same command "
            "again when it works."
        ) from None


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


def busy_sentence(detail: str) -> str:
    """What a person reads where DVC is at work already; `detail` is what DVC says of it."""
    return (
        "Another DVC command is at work in this project. Run the same command again when it has "
        f"ended. DVC says: {detail}"
    )
