"""`reelflow explain`: what a model looked at in videos, as films, pictures and a page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.files import new_table, refuse_options, section_here, wide_console, with_folders
from reelflow.base.terminal import printable

if TYPE_CHECKING:
    from tasks.explain import Done

_OUT = Path("reports/explain")


def explain(
    files: Annotated[
        list[str], typer.Argument(metavar="VIDEO...", help="Video files, or folders of them.")
    ],
    model: Annotated[
        str,
        typer.Option(
            help="models:/NAME@ALIAS, models:/NAME/VERSION, or a folder that holds a model, as "
            "`models`, what was trained last.",
            show_default="the champion of the project",
        ),
    ] = "",
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
    """Show what the model looked at in each VIDEO: a film, a strip of frames, and a page."""
    refuse_options(files)
    files = with_folders(files)
    from reelflow.params.register import RegisterParams
    from reelflow.registry.ask_model import address_from_environment_for
    from tasks.explain import explain_videos, opened

    model = model or f"models:/{section_here(RegisterParams).name}@champion"
    with opened(model, address_from_environment_for(model)) as found:
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
    table = new_table()
    for name in ("video", "answer", "what it looked at"):
        table.add_column(name, overflow="fold")
    for one in done.videos:
        table.add_row(
            *(Text(printable(cell)) for cell in (one["video"], _answer(one), one["words"]))
        )
    console = wide_console()
    console.print(table)
    for one in done.videos:
        for caution in one["cautions"]:
            console.print(Text(printable(f"! {one['video']}: {caution}")))
    for sentence in done.sentences:
        console.print(Text(sentence))
    console.print(Text(printable(f"page  {out / 'index.html'}, by {source}"), style="dim"))


def _answer(one: dict[str, Any]) -> str:
    return f"{one['answer']['label']} {one['answer']['confidence']:.3f}"
