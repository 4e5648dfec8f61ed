"""Why a stage failed: its own sentence, or what DVC or the stage printed last."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import NoReturn

from flows.engine import stage_process
from flows.engine.dvc_graph import BusyError, busy_sentence
from reelflow.base.errors import ReelflowError, UnavailableError
from tasks.common.stage import TRY_AGAIN

_DVC_SAYS = ("ERROR: ", "Running stage", "> ")


class StageError(ReelflowError):
    """A stage failed for a reason that only a person can mend."""


def raise_failure(name: str, lines: list[str], status: int) -> NoReturn:
    """Raise what a failed stage ends with.

    Args:
        name: of the stage.
        lines: the last that `dvc repro` printed.
        status: its exit status.

    Raises:
        BusyError: another command has the lock of DVC.
        UnavailableError: it may work later.
        StageError: any other failure; the text is the stage's own sentence where it has one.
    """
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
