"""The bridge to DVC: its graph as plain values.

`dvc.yaml` alone holds the order of stages; this module reads it through DVC's API, in this process
(some 20 ms a stage). The working directory is the top folder of the project.
"""

from __future__ import annotations

import os
import re
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

# DVC's lock is a file lock, which two threads of one process cannot hold at once.
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
        own = own_stages(repo)
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


def own_stages(repo: Repo) -> list[Any]:
    """The stages of the top `dvc.yaml` and the sources that they read. DVC would also run commands
    of a `dvc.yaml` in any folder below, for example in a data set that was unpacked here."""
    top = [stage for stage in repo.index.stages if stage.path_in_repo == "dvc.yaml"]
    read = {other for stage in top for other in repo.index.graph.successors(stage)}
    return [*top, *(other for other in read if not other.cmd)]


def clear_stale_locks() -> None:
    """Remove `.dvc/tmp/rwlock` where a killed DVC left it in a state that blocks DVC for ever.

    DVC itself drops entries of processes that have ended. It keeps an entry if a new process has
    got the same number (common after a restart of a container), and it cannot read a file that
    was cut short. DVC edits that file under the project's lock, which is held here.
    """
    with dvc_repo() as repo, repo.lock:
        path = Path(str(repo.tmp_dir)) / "rwlock"
        if path.is_file():
            holders = re.findall(
                r'"pid": ?(\d+)', path.read_text(encoding="utf-8", errors="replace")
            )
            if not any(_was_there(int(holder), path.stat().st_mtime) for holder in holders):
                path.unlink()


def _was_there(process: int, when: float) -> bool:
    """Whether a process is at work that had begun at this time."""
    import psutil

    try:
        return psutil.Process(process).create_time() <= when + 1.0
    except psutil.NoSuchProcess:
        return False


@contextmanager
def dvc_repo() -> Iterator[Repo]:
    """A new `Repo`: an old one would remember the `dvc.lock` that it read.

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


def busy_sentence(detail: str) -> str:
    """The error where another DVC command is at work; `detail` is the message of DVC."""
    return (
        "Another DVC command is at work in this project. Run the same command again when it has "
        f"ended. DVC says: {detail}"
    )
