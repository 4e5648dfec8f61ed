"""What every stage does around its work: say what it does, fail in a sentence, note its seconds.

`python -m tasks.NAME` calls `run("NAME", work)`. The work raises `ReelflowError` for whatever a
person can mend; that and a full disk end as one sentence on stderr and exit status 1.
"""

from __future__ import annotations

import errno
import json
import logging
import sys
import time
from collections.abc import Callable

from reelflow import telemetry
from reelflow.errors import ReelflowError, UnavailableError
from reelflow.files import remove_left_over
from tasks.paths import STATE, WRITTEN_TO

TIMINGS = STATE / "timings.jsonl"
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: whoever runs stages may try this one again


def run(name: str, work: Callable[[], None]) -> None:
    """Run the work of stage `name` and leave the process with a fitting exit status.

    0: done · 1: an error that a person can mend, said in a sentence · 75: the same, but it may
    pass by itself · 130: interrupted.
    """
    logging.basicConfig(
        level=logging.INFO, format=f"{name}: %(message)s", stream=sys.stderr, force=True
    )
    telemetry.off()
    started = time.monotonic()
    try:
        for folder in WRITTEN_TO:
            remove_left_over(folder)
        work()
    except ReelflowError as error:
        print(f"{name}: error: {error}", file=sys.stderr)
        sys.exit(TRY_AGAIN if isinstance(error, UnavailableError) else 1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        sys.exit(f"{name}: error: {_disk_sentence(error)}")
    except KeyboardInterrupt:
        print(f"{name}: interrupted; run the same command to go on.", file=sys.stderr)
        sys.exit(130)
    _note_seconds(name, time.monotonic() - started)


def _disk_sentence(error: OSError) -> str:
    where = f" while writing {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full{where}. Make room and run the same command: it goes on."
    return f"{error.strerror}{where}. Give this user the right to it and run the command again."


def _note_seconds(name: str, seconds: float) -> None:
    """Timings are kept outside the outputs, whose bytes must not depend on the clock."""
    STATE.mkdir(exist_ok=True)
    with TIMINGS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"stage": name, "seconds": round(seconds, 3)}) + "\n")
