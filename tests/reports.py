"""Who imports a tool that would report home, and what is not switched off by then."""

from __future__ import annotations

import os
from pathlib import Path

from reelflow.base.telemetry import SWITCHES
from tests.folder import Folder

TOOLS = ("prefect", "mlflow", "dvc", "great_expectations", "tensorflow", "keras")

_SILENT = [name for name in SWITCHES if not name.startswith("TF_")]  # that one calms a log

# Python imports it first of all, in every process that inherits PYTHONPATH.
_WATCH = f"""
import os, sys
tools = {set(TOOLS)}
def note(event, arguments):
    if event == "import" and arguments[0] in tools:
        tools.remove(arguments[0])
        missing = [name for name in {_SILENT} if name not in os.environ]
        command = " ".join(" ".join(sys.orig_argv[1:]).split())
        with open(os.environ["WATCH"], "a") as file:
            print(arguments[0], command, " ".join(missing), sep="\\t", file=file)
sys.addaudithook(note)
"""


def watch(folder: Folder) -> None:
    """Note from now on what processes of this folder import."""
    place = folder.root.parent / "watch"
    place.mkdir()
    (place / "sitecustomize.py").write_text(_WATCH)
    before = folder.environment.get("PYTHONPATH")
    folder.environment["PYTHONPATH"] = os.pathsep.join([str(place), *([before] if before else [])])
    folder.environment["WATCH"] = str(_notes(folder))


def imported(folder: Folder) -> set[str]:
    """The tools that some process has imported since."""
    return {tool for tool, _, _ in _rows(folder)}


def unguarded(folder: Folder) -> list[list[str]]:
    """Imports of a tool that was not told before to be silent, unless a person called the tool."""
    return [row for row in _rows(folder) if row[2] and Path(row[1].split()[0]).name not in TOOLS]


def _rows(folder: Folder) -> list[list[str]]:
    """Tool, command, and the switches that were not set."""
    return [line.split("\t") for line in _notes(folder).read_text().splitlines()]


def _notes(folder: Folder) -> Path:
    return folder.root.parent / "imports.tsv"
