"""`reelflow inspect`: what a file is, whether `ingest` would use it, and what to do if not.

Exit status 0: every file is usable; 1: one is not. Both answers go to stdout.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Json, with_folders
from cli.printing import print_any_name, show_table
from reelflow.base.terminal import printable
from tasks.common.paths import PARAMS

if TYPE_CHECKING:
    from rich.text import Text

    from reelflow.video.damage_policy import Policy
    from reelflow.video.inspection import Inspection
    from reelflow.video.process_limits import Bounds


# Columns of numbers: the key in an inspection, and how it is written.
_NUMBERS = {
    "rate": ("fps", "{:.4g}"),
    "seconds": ("duration", "{:.2f}"),
    "header": ("header_duration", "{:.2f}"),
    "frames": ("frames", "{}"),
    "whole": ("intact", "{}"),
    "turned": ("rotation", "{}°"),
    "first": ("first", "{:.2f}"),
    "last": ("last", "{:.2f}"),
}


def inspect(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Any files, or folders of files.")
    ],
    as_json: Json = False,
) -> None:
    """Decode each FILE to its end; show what it is and whether it can be used."""
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
    from reelflow.params import section_or_defaults
    from reelflow.params.ingest import IngestParams
    from reelflow.video.damage_policy import Policy
    from reelflow.video.process_limits import Bounds

    section = section_or_defaults(PARAMS, IngestParams)
    bounds = Bounds(section.timeout_s, section.memory_mb, section.max_file_gb)
    return bounds, Policy(section.undecodable, section.max_repeated_share)


def _inspected(files: list[str], bounds: Bounds, policy: Policy) -> Iterator[Inspection]:
    """Inspect files in their order. ffmpeg does the work in its own processes, so threads do."""
    from reelflow.base.parallel import worker_count
    from reelflow.base.progress import track
    from reelflow.video.inspection import inspect as look

    with ThreadPoolExecutor(worker_count(0)) as pool:
        answers = pool.map(lambda file: look(file, bounds, policy), files)
        yield from track(answers, len(files), "inspecting files") if len(files) > 1 else answers


def _print(found: Sequence[Inspection]) -> None:
    from rich.text import Text

    texts = [(name, "left") for name in ("verdict", "container", "codec", "size")]
    console = show_table(
        [("file", "fold"), *texts, *((name, "right") for name in _NUMBERS)],
        ([each.path, _verdict(each), *_figures(each.to_dict())] for each in found),
    )
    for each in found:
        if each.refusal:
            name = Text(f"\n{printable(each.path)}: ", "bold")
            console.print(name + Text(printable(each.refusal.reason)), soft_wrap=True)
            console.print(Text(printable(each.remedy)), soft_wrap=True)


def _verdict(found: Inspection) -> Text:
    from rich.text import Text

    return Text(found.refusal.code, "red") if found.refusal else Text("usable", "green")


def _figures(found: dict[str, Any]) -> Iterator[str]:
    yield (found["container"] or "–").split(",")[0]
    yield found["codec"] or "–"
    yield f"{found['width']}×{found['height']}" if found["width"] else "–"
    for key, form in _NUMBERS.values():
        yield "–" if found[key] is None else form.format(found[key])
