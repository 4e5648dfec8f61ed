"""The inbox into `data/raw`, and DVC told of it: what `retrain` does before it runs the graph."""

from __future__ import annotations

import time
from collections.abc import Callable

from flows.engine.raw_gate import guard
from flows.engine.run_lock import only_run
from flows.raw import allowed, fetch, note
from reelflow.base.terminal import printable
from reelflow.intake.inbox import InboxReport, take
from tasks.common.paths import INBOX, RAW

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
        fetch(line)
        guard(line)
        report = take(INBOX, RAW, now=time.time(), settle_s=settle_s, **allowed())
        for path in report.new:
            line(printable(f"taken: {path}"))
        for path, reason in report.left:
            line(printable(f"left in {INBOX}: {path}: {reason}"))
        note(line)
        return report
