"""The inbox into `data/raw`, and DVC told of it: what `retrain` does before it runs the graph."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from flows import process
from flows.graph import changes
from flows.lock import only_run
from flows.raw import add, links_to
from reelflow.errors import DataError
from reelflow.inbox import InboxReport, take
from tasks.paths import INBOX, RAW, RAW_POINTER

SETTLE_S = 30.0


def take_in(line: Callable[[str], None], settle_s: float = SETTLE_S) -> InboxReport:
    """Take new labelled videos from `data/inbox` into `data/raw`, once, and put them under DVC.

    Args:
        line: takes a sentence for each file that was taken or left.
        settle_s: videos that changed less than this many seconds ago are left for the next time.

    Raises:
        ReelflowError: another run is at work, `data/raw` cannot be fetched, DVC fails.
        OSError: the disk is full or read-only; the same call goes on later.
    """
    with only_run():
        _fetch_raw(line)
        report = take(INBOX, RAW, now=time.time(), settle_s=settle_s, links_to=links_to())
        for path in report.new:
            line(f"taken: {path}")
        for path, reason in report.left:
            line(f"left in {INBOX}: {path}: {reason}")
        # Asked, not concluded from the report: a run that was killed here has taken them already.
        if RAW.exists() and (not RAW_POINTER.is_file() or changes(RAW_POINTER.as_posix())):
            add(line)
        return report


def _fetch_raw(line: Callable[[str], None]) -> None:
    """Fetch a `data/raw` that DVC tracks and this checkout lacks.

    Without it a fresh clone would take the inbox for the whole set, and DVC would note just that.
    """
    if RAW.exists() or not RAW_POINTER.is_file():
        return
    line(f"{RAW} is not here: fetching what {RAW_POINTER} names.")
    said: list[str] = []
    for verb in ("checkout", "pull"):  # from the cache of this machine, else from the remote
        command = [sys.executable, "-m", "dvc", "--wait-for-lock", verb, str(RAW_POINTER)]
        if not process.run_lines(command, said.append):
            return
    raise DataError(
        f"{RAW} is not here and DVC cannot fetch it ({' '.join(said[-2:])}). Without it the inbox "
        f"would be taken for all there is. Name the remote (`dvc remote add`) and run `dvc pull`."
    )
