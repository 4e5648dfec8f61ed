"""`reelflow import` and `reelflow remove`: videos into data/raw and out of it. docs/recipes.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import refuse_options
from reelflow.base.terminal import say

if TYPE_CHECKING:
    from reelflow.intake.import_plan import Plan

_COLUMN = "a column, or a template of columns: '{site}/{id:06d}.mp4'"
PATH = typer.Option(help=f"What names the file: {_COLUMN}. Default: path.")
REPLACE = typer.Option("--replace", help="Replace what another source brought into data/raw.")
DRY_RUN = typer.Option("--dry-run", help="Show what would happen; write nothing.")


def import_(
    source: Annotated[Path, typer.Argument(help="A folder per class, or a csv of any columns.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where the csv's paths begin, if not at the csv.")
    ] = None,
    path: Annotated[str, PATH] = "",
    label: Annotated[str, typer.Option(help=f"The class: {_COLUMN}. Default: label.")] = "",
    group: Annotated[
        str,
        typer.Option(
            help=f"What must not be split: {_COLUMN}, or `folder`. Default: group, if any."
        ),
    ] = "",
    group_pattern: Annotated[
        str, typer.Option(help="Regular expression with `(?P<group>…)`, searched in the path.")
    ] = "",
    split: Annotated[
        str, typer.Option(help=f"The official split: {_COLUMN}. Default: split, if any.")
    ] = "",
    split_list: Annotated[
        list[str] | None,
        typer.Option(help="train=FILE: a list of its files; or FILE with a code behind each."),
    ] = None,
    split_value: Annotated[
        list[str] | None,
        typer.Option(help="VALUE=train (or validation, test, none, skip): what a value means."),
    ] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out what is named but not there.")
    ] = False,
    add: Annotated[bool, typer.Option("--add", help="Keep what is in data/raw.")] = False,
    replace: Annotated[bool, REPLACE] = False,
    copy: Annotated[bool, typer.Option("--copy", help="Copy instead of linking.")] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
) -> None:
    """Bring labelled videos into data/raw, whatever the form of their folder or csv."""
    from flows.raw_videos import import_videos, plan
    from reelflow.intake.read_folder_or_csv import Form

    values = dict(_pair(text) for text in split_value or [])
    lists = tuple(split_list or [])
    form = Form(path, label, group, split, group_pattern, lists, values)

    def make_plan() -> Plan:
        return plan(source, form, folder, adding=add, replacing=replace, skip_missing=skip_missing)

    if not dry_run:
        import_videos(make_plan, _show, say, adding=add, copy=copy)
        return
    found = make_plan()
    _show(found)
    for sentence in found.obstacles:
        say(f"It would stop: {sentence}")
    print("Nothing was written.")
    raise typer.Exit(bool(found.obstacles))


def remove(
    what: Annotated[
        list[str], typer.Argument(help="Files or folders of data/raw, or a csv that names files.")
    ],
    path: Annotated[str, PATH] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Also files of which there is no other copy.")
    ] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
) -> None:
    """Remove videos from data/raw. DVC's cache keeps what it had; the ledger keeps their split."""
    refuse_options(what)
    from flows.raw_videos import remove_videos
    from reelflow.intake.read_folder_or_csv import Form

    remove_videos(what, Form(path), say, force=force, dry_run=dry_run)


def _pair(text: str) -> tuple[str, str]:
    value, equals, split = text.rpartition("=")
    if not equals:
        raise typer.BadParameter(f"--split-value is VALUE=SPLIT, not {text!r}")
    return value, split


def _show(plan: Plan) -> None:
    say(plan.table().to_string())
    for sentence in plan.sentences():
        say(sentence)
