"""Run one stage with DVC; if it fails, find out why.

`dvc repro --single-item` runs a stage in a process of its own, as a person would, so that both ways
leave the same `dvc.lock`.
"""

from __future__ import annotations

import os
import re
import sys
from collections import deque
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from flows.engine import stage_process
from flows.engine.dvc_graph import BusyError, busy_sentence, dvc_repo
from reelflow.base.errors import ReelflowError, UnavailableError
from tasks.common.dvc_outputs import drop_damaged
from tasks.common.stage import TRY_AGAIN

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

_DVC_SAYS = ("ERROR: ", "Running stage", "> ")


class StageError(ReelflowError):
    """A stage failed for a reason that only a person can mend."""


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
        _raise_failure(name, list(tail), status)
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


def _raise_failure(name: str, lines: list[str], status: int) -> None:
    text = "\n".join(lines)
    if "Unable to acquire lock" in text or "it is being blocked by" in text:
        raise BusyError(busy_sentence(lines[-1]))
    sentence = _own_sentence(name, text)
    if not sentence and (killed := stage_process.killed(name, text, status)):
        sentence = killed + _last_words(lines)
    sentence = sentence or _as_dvc_says(name, lines)
    if re.search(rf"exited with {TRY_AGAIN}$", text, re.MULTILINE):
        raise UnavailableError(sentence)
    raise StageError(sentence)


def _own_sentence(name: str, text: str) -> str:
    """The text after the last `NAME: error: `, up to the next line of DVC."""
    _, opening, said = f"\n{text}".rpartition(f"\n{name}: error: ")
    return said.partition("\nERROR: ")[0] if opening else ""


def _as_dvc_says(name: str, lines: list[str]) -> str:
    missing = re.search(r"missing data 'sources?': (.+)$", lines[-1]) if lines else None
    if missing:
        return (
            f"{missing[1]} is not here. Fetch it with `dvc pull`, or put it in its place, and run "
            "the same command again."
        )
    dvc = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return f"{dvc[-1] if dvc else f'the stage {name} failed'}.{_last_words(lines)}"


def _last_words(lines: list[str]) -> str:
    """What the stage itself printed last, before the stack of a crash, if any."""
    said = takewhile(lambda line: not line.startswith("Fatal Python"), lines)
    own = [line for line in said if not line.startswith(_DVC_SAYS)]
    return f" Its last words: {own[-1]}" if own else ""
