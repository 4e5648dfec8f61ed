"""Options and arguments that several commands share, and what they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reelflow.base.files import visible_files
from reelflow.base.terminal import printable
from tasks.common.paths import PARAMS

Data = Annotated[
    Path | None, typer.Option(help="Labelled videos, as for `reelflow run`; by default data/raw.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Model = Annotated[
    str,
    typer.Option(
        help="models:/NAME@ALIAS, models:/NAME/VERSION, or a folder that holds a model.",
        show_default="the champion of the project",
    ),
]
Videos = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="Video files, or folders of them.")
]

_LISTS = (".csv", ".json")  # lists of videos, not videos

# For `app.command`: a file may be called `-video.mp4`.
SETTINGS = {"ignore_unknown_options": True}


def refuse_options(files: list[str]) -> None:
    """Refuse a name that looks like an option and is no file."""
    for name in files:
        if name.startswith("--") and not Path(name).exists():
            raise typer.BadParameter(f"there is neither an option nor a file {name}")


def with_folders(names: list[str]) -> list[str]:
    """Replace each folder by the files below it, without hidden ones and lists of videos. A name
    that looks like an option and is no file is refused."""
    refuse_options(names)
    found: list[str] = []
    for name in names:
        below = [name]
        if Path(name).is_dir():
            paths = (Path(name, path) for path in visible_files(Path(name)))
            below = sorted(str(p) for p in paths if p.suffix.lower() not in _LISTS and p.is_file())
        if not below:
            raise typer.BadParameter(f"the folder {printable(name)} holds no files")
        found += below
    return found


def model_here(model: str) -> str:
    """The model that is named; by default the champion of the project."""
    from reelflow.params import section_or_defaults
    from reelflow.params.register import RegisterParams

    return model or f"models:/{section_or_defaults(PARAMS, RegisterParams).name}@champion"
