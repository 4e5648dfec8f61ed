"""Progress: every item passes, and a person can tell what is done, how fast, and what is left."""

from __future__ import annotations

import io
import re
import sys
from types import SimpleNamespace

import pytest

from reelflow.base import progress
from reelflow.base.progress import track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_now_and_then_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    # A second passes at each look at the clock: at the start, and after each item.
    clock = SimpleNamespace(monotonic=iter(range(100)).__next__)
    monkeypatch.setattr(progress, "time", clock)
    assert list(track(range(20), 20, "checking videos")) == list(range(20))
    assert [record.message for record in caplog.records] == [
        "checking videos: 10 of 20, 1.0/s, 10 s left",
        "checking videos: 20 of 20, 1.0/s, 0 s left",
        "checking videos: 20 done in 21.0 s",
    ]


def test_a_terminal_gets_a_bar_with_time_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    assert list(track(range(3), 3, "extracting frames")) == [0, 1, 2]
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.getvalue())
    assert re.search(r"extracting frames .*\d:\d\d:\d\d +3/3", shown)
    assert not caplog.records
