"""Whatever is printed, a terminal obeys none of it."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from flows.engine.stage_process import run_lines
from reelflow.base.errors import DataError, VideoError
from reelflow.base.terminal import Formatter, printable, say

# Colour, title by OSC, clipboard by OSC, 8-bit CSI, turned text, carriage return, no UTF-8.
ATTACK = "a\x1b[31mb\x1b]0;c\x07d\x1b]52;c;ZQ==\x1b\\e\x9bf\u202eg\rh\udcff"
SHOWN = r"a\x1b[31mb\x1b]0;c\x07d\x1b]52;c;ZQ==\x1b\e\x9bf\u202eg\rh\udcff"


def test_what_a_terminal_would_obey_is_written_out() -> None:
    assert printable(ATTACK) == SHOWN
    assert printable("ü 漢字\n[/bold]") == "ü 漢字\\n[/bold]"
    assert printable("two\nlines\t", lines=True) == "two\nlines\t"


def test_it_is_printed_so(capsys: pytest.CaptureFixture[str]) -> None:
    say(ATTACK)
    assert capsys.readouterr().out == f"{SHOWN}\n"


def test_errors_and_log_lines_are_fit_for_a_terminal() -> None:
    assert str(DataError(f"{ATTACK}\nmore")) == f"{SHOWN}\nmore"
    error = VideoError(ATTACK, "code", "Why.", "What to do.")
    assert (str(error), error.path) == (f"{SHOWN}: Why. What to do.", ATTACK)
    record = logging.LogRecord("x", logging.INFO, "", 0, "of %s", (ATTACK,), None)
    assert Formatter("stage: %(message)s").format(record) == f"stage: of {SHOWN}"


def test_lines_of_programs_lose_their_colours_and_show_the_rest() -> None:
    lines: list[str] = []
    write = "import sys; sys.stdout.write('\\x1b[1mbold\\x1b[0m \\x1b]0;title\\x07\\n')"
    assert run_lines([sys.executable, "-c", write], lines.append) == 0
    assert lines == [r"bold \x1b]0;title\x07"]


def test_the_command_ends_with_a_harmless_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "import", "no\x1b]0;such\x07"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert r"no\x1b]0;such\x07 is not a folder" in done.stderr
    assert "\x1b" not in done.stderr
