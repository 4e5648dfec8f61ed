"""`reelflow gc`: show frames, features and checkpoints that nothing needs; remove them if asked."""

from __future__ import annotations

from typing import Annotated

import typer


def gc(yes: Annotated[bool, typer.Option("--yes", help="Remove them.")] = False) -> None:
    """Show kept frames, features and checkpoints that nothing refers to; --yes removes them.

    What DVC's cache holds is never touched: for that there is `dvc gc`.
    """
    from flows.gc import collect

    files, freed = collect(remove=yes)
    if not files:
        print("All that is kept is referred to.")
        return
    for why, number in sorted(files.items()):
        print(f"{number:8,} files  {why}")
    size = f"{freed / 2**20:,.1f} MiB"
    if yes:
        print(f"Removed; {size} are free again. What is needed later is made again.")
    else:
        print(f"Removing them frees {size}. Nothing was removed yet: `reelflow gc --yes` does it.")
