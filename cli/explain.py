"""`reelflow explain`: what a model looked at in videos, as films, pictures and a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import Model, Videos, model_here, with_folders
from cli.printing import show_table
from reelflow.base.terminal import printable

if TYPE_CHECKING:
    from tasks.explain import Done

_OUT = Path("reports/explain")


def explain(
    files: Videos,
    model: Model = "",
    label: Annotated[
        str, typer.Option(help="Explain what speaks for this label.", show_default="the answer")
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder for what is made.")] = _OUT,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Find out whether the maps can be believed: metrics/explain.json."
        ),
    ] = False,
) -> None:
    """Show what the model looked at in each FILE: a film, a strip of frames, and a page.

    The folder `models` of a project is the model that was trained last.
    """
    files = with_folders(files)
    from tasks.explain import explain_videos, opened

    with opened(model_here(model)) as found:
        done = explain_videos(files, found, out, label=label, checked=check)
    _print(done, found.source, out)
    for error in done.unusable:
        print(printable(str(error)), file=sys.stderr)
    if done.unusable:
        raise typer.Exit(1)


def _print(done: Done, source: str, out: Path) -> None:
    from rich.text import Text

    if not done.videos:
        return
    columns = [(name, "fold") for name in ("video", "answer", "what it looked at")]
    console = show_table(columns, ([v["video"], _answer(v), v["words"]] for v in done.videos))
    for one in done.videos:
        for caution in one["cautions"]:
            console.print(Text(printable(f"! {one['video']}: {caution}")))
    for sentence in done.sentences:
        console.print(Text(sentence))
    console.print(Text(printable(f"page  {out / 'index.html'}, by {source}"), style="dim"))


def _answer(one: dict[str, Any]) -> str:
    return f"{one['answer']['label']} {one['answer']['confidence']:.3f}"
