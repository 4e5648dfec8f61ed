"""Run one stage with DVC.

`dvc repro --single-item` runs a stage in a process of its own, as a person would, so that both ways
leave the same `dvc.lock`.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flows.engine import stage_process
from flows.engine.dvc_graph import dvc_repo
from flows.engine.stage_failure import raise_failure
from tasks.common.dvc_outputs import drop_damaged

if TYPE_CHECKING:
    from dvc.repo import Repo

# Hints of `dvc repro` to a person who types it; noise in a log.
_HINTS = (
    "To track the changes with git, run:",
    "\tgit add ",
    "To enable auto staging, run:",
    "\tdvc config core.autostage",
    "Use `dvc push` to send",
    "Updating lock file",
    "Generating lock file",
)


def reproduce(name: str, on_line: Callable[[str], None], *, force: bool = False) -> bool:
    """Run one node if its upstream, its params or its code changed; pass on its lines live.

    The lines end before those on a failure: the exception has its reason, without what DVC adds.

    Returns:
        True if its command ran; False if DVC had its outputs, or restored them from its run cache.

    Raises:
        StageError: it failed; the text is the stage's own sentence where it has one.
        UnavailableError: it may work later.
        StoppedError: the run is being stopped.
    """
    with dvc_repo() as repo:
        _drop_damage(repo, name)
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", name]
    tail: deque[str] = deque(maxlen=200)
    ran, failed = False, False

    def pass_on(line: str) -> None:
        nonlocal ran, failed
        ran = ran or line == f"Running stage '{name}':"
        failed = failed or line.startswith(f"{name}: error: ")
        if line.startswith(_HINTS):
            return
        tail.append(line)
        # A line of DVC, or of a library in a stage that goes on.
        if not failed and not line.startswith("ERROR: "):
            on_line(line)

    status = stage_process.run_lines([*command, "--force"] if force else command, pass_on)
    if status:
        raise_failure(name, list(tail), status)
    return ran


def _drop_damage(repo: Repo, name: str) -> None:
    """Remove damaged files from DVC's cache before DVC restores them.

    A file of the workspace and DVC's copy of it are one file on the disk. If somebody writes to it,
    DVC notices, but believes its read-only copy and restores the damage.
    """
    for stage in repo.index.stages:
        if stage.addressing == name and stage.cmd:
            for out in stage.outs:
                if out.use_cache and out.status():
                    drop_damaged(Path(os.path.relpath(out.fs_path, repo.root_dir)))
