"""What every stage does around its work: log, fail in a sentence, note its seconds.

`python -m tasks.NAME` calls `run("NAME", work)`. The work raises `ReelflowError` for what a person
can mend. Every error ends as one sentence on stderr.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import sys
import time
from collections.abc import Callable

from reelflow.base.errors import UnavailableError
from reelflow.base.files import remove_left_over
from reelflow.base.terminal import log_to_stderr
from tasks.common.error_to_sentence import sentence
from tasks.common.paths import STATE, WRITTEN_TO

TIMINGS = STATE / "timings.jsonl"
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


def _note_seconds(name: str, seconds: float) -> None:
    """Note the seconds in a file that is no output: outputs must not depend on the clock."""
    STATE.mkdir(exist_ok=True)
    with TIMINGS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"stage": name, "seconds": round(seconds, 3)}) + "\n")
