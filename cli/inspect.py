"""`reelflow inspect`: what a file is, whether `ingest` would use it, and what to do if not.

Exit status 0: every file is usable; 1: one is not. Both answers go to stdout.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.files import print_any_name, refuse_options, with_folders
from reelflow.base.terminal import printable

if TYPE_CHECKING:
    from rich.table import Table

    from reelflow.video.damage_policy import Policy
    from reelflow.video.inspection import Inspection
    from reelflow.video.process_limits import Bounds


def inspect(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Any files, or folders of files.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Say what each FILE is, found by decoding it to its end, and whether it can be used."""
    refuse_options(files)
    files = with_folders(files)
    print_any_name()
    found = list(_inspected(files, *_settings()))
    if as_json:
        print(json.dumps([each.to_dict() for each in found], indent=2))
    else:
        _print(found)
    if not all(each.usable for each in found):
        raise typer.Exit(1)


def _settings() -> tuple[Bounds, Policy]:
    """Those of `ingest` in the project in the current folder, or by default."""
    from reelflow.params import load_section
    from reelflow.params.ingest import IngestParams
    from reelflow.video.damage_policy import Policy
    from reelflow.video.process_limits import Bounds

    params = Path("params.yaml")
    section = (
        load_section(params, IngestParams) if params.exists() else IngestParams.model_validate({})
    )
    bounds = Bounds(section.timeout_s, section.memory_mb, section.max_file_gb)
    return bounds, Policy(section.undecodable, section.max_repeated_share)


def _inspected(files: list[str], bounds: Bounds, policy: Policy) -> Iterator[Inspection]:
    """The answers in the order asked. The work is in processes of ffmpeg, so threads will do."""
    from reelflow.base.parallel import worker_count
    from reelflow.base.progress import track
    from reelflow.video.inspection import inspect as look

    with ThreadPoolExecutor(worker_count(0)) as pool:
        answers = pool.map(lambda file: look(file, bounds, policy), files)
        yield from track(answers, len(files), "inspecting files") if len(files) > 1 else answers


def _print(found: Sequence[Inspection]) -> None:
    from rich.console import Console
    from rich.text import Text

    # What is read by another program is not folded to the width of a screen.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 100_000)
    console.print(_table(found))
    for each in found:
        if each.refusal:
            name = Text(f"\n{printable(each.path)}: ", "bold")
            console.print(name + Text(printable(each.refusal.reason)), soft_wrap=True)
            console.print(Text(printable(each.remedy)), soft_wrap=True)


def _table(found: Sequence[Inspection]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("file", overflow="fold")
    for name in ("verdict", "container", "codec", "size"):
        table.add_column(name)
    for name in ("rate", "seconds", "header", "frames", "whole", "turned", "first", "last"):
        table.add_column(name, justify="right")
    for each in found:
        verdict = Text("usable", "green")
        if each.refusal:
            verdict = Text(each.refusal.code, "red")
        table.add_row(Text(printable(each.path)), verdict, *_figures(each.to_dict()))
    return table


def _figures(told: dict[str, Any]) -> Iterator[str]:
    yield (told["container"] or "–").split(",")[0]
    yield told["codec"] or "–"
    yield f"{told['width']}×{told['height']}" if told["width"] else "–"
    yield _number(told["fps"], ".4g")
    for name in ("duration", "header_duration"):
        yield _number(told[name], ".2f")
    for name in ("frames", "intact"):
        yield _number(told[name], "d")
    yield "–" if told["rotation"] is None else f"{told['rotation']}°"
    for name in ("first", "last"):
        yield _number(told[name], ".2f")


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}"
