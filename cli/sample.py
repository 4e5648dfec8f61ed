"""`reelflow sample`: labelled videos to try things on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sample(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    clips_per_class: Annotated[
        int, typer.Option(min=3, help="Videos of each of the six classes.")
    ] = 80,
    apart: Annotated[
        bool, typer.Option(help="Scenes of one class each, and a test of scenes of its own.")
    ] = False,
) -> None:
    """Write labelled sample videos: the same bytes each time, a few broken on purpose."""
    from reelflow.sample import write_sample

    # No group without clips.
    groups = min(8 if apart else 40, clips_per_class)
    print(write_sample(folder, clips_per_class=clips_per_class, groups=groups, apart=apart))
