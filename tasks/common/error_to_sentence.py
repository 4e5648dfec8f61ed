"""The sentence that a person reads when something fails, whatever it is."""

from __future__ import annotations

import errno
import sys
import time
import traceback

from reelflow.base.errors import ReelflowError
from reelflow.base.terminal import printable
from tasks.common.paths import STATE

ERRORS = STATE / "errors.log"


def sentence(error: Exception) -> str:
    """What to show of an error; of one that nobody foresaw, the traceback is kept in a file."""
    if isinstance(error, ReelflowError):
        return str(error)
    if isinstance(error, OSError):
        where = printable(f" ({error.filename})") if error.filename else ""
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
