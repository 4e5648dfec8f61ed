"""What every stage does around its work: log, fail in a sentence, note its seconds.

`python -m tasks.NAME` calls `run("NAME", work)`. The work raises `ReelflowError` for what a person
can mend. Every error ends as one sentence on stderr; the traceback of one that nobody foresaw is
kept in a file.
"""

from __future__ import annotations

import errno
import faulthandler
import json
import logging
import sys
import time
import traceback
from collections.abc import Callable

from reelflow.base.errors import ReelflowError, UnavailableError
from reelflow.base.files import remove_left_over
from reelflow.base.terminal import log_to_stderr, printable
from tasks.common.paths import STATE, WRITTEN_TO

TIMINGS = STATE / "timings.jsonl"
ERRORS = STATE / "errors.log"
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: running the stage again may help


def run(name: str, work: Callable[[], None]) -> None:
    """Run the work of stage `name` and end the process with its exit status.

    0: done · 1: an error · 75: an error that may pass by itself · 130: interrupted.
    """
    log_to_stderr(f"{name}: %(message)s", logging.INFO)
    faulthandler.enable()  # a crash in a library prints the line of ours
    started = time.monotonic()
    try:
        for folder in WRITTEN_TO:
            remove_left_over(folder)
        work()
        _note_seconds(name, time.monotonic() - started)
    except KeyboardInterrupt:
        print(f"{name}: interrupted; run the same command to go on.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 (whatever it is, it ends as a sentence)
        said = f"{name}: error: {sentence(error)}"
        if not isinstance(error, UnavailableError):
            sys.exit(said)
        print(said, file=sys.stderr)
        sys.exit(TRY_AGAIN)


def sentence(error: Exception) -> str:
    """What to show of an error; of one that nobody foresaw, the traceback is kept in a file."""
    if isinstance(error, ReelflowError):
        return str(error)
    if isinstance(error, OSError):
        where = printable(f" while writing {error.filename}") if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"the disk is full{where}. Make room and run the same command: it goes on."
        if error.errno in (errno.EACCES, errno.EROFS):
            right = "Give this user the right to it and run the command again."
            return f"{error.strerror}{where}. {right}"
    return _unexpected(error)


def _unexpected(error: Exception) -> str:
    try:
        STATE.mkdir(exist_ok=True)
        with ERRORS.open("a", encoding="utf-8", errors="backslashreplace") as file:
            print(time.strftime("%Y-%m-%d %H:%M:%S"), *sys.argv, file=file)
            traceback.print_exception(error, file=file)
        where = f"stands at the end of {ERRORS.absolute()}"
    except OSError:  # no room, or no right to it
        traceback.print_exception(error)
        where = "stands above"
    said = printable(traceback.format_exception_only(error)[-1].splitlines()[0])
    return (
        f"Reelflow did not expect this error: {said}. Its traceback {where}; please report it "
        "with that text. What was finished is kept: the same command goes on from there."
    )


def _note_seconds(name: str, seconds: float) -> None:
    """Note the seconds in a file that is no output: outputs must not depend on the clock."""
    STATE.mkdir(exist_ok=True)
    with TIMINGS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"stage": name, "seconds": round(seconds, 3)}) + "\n")
