"""`reelflow gc`: show frames, features and checkpoints that nothing needs; remove them if asked."""

from __future__ import annotations

from typing import Annotated

import typer


def gc(
    yes: Annotated[bool, typer.Option("--yes", help="Remove them.")] = False,
    all_commits: Annotated[
        bool,
        typer.Option(
            "--all-commits", help="Keep what any commit refers to, not only branches and tags."
        ),
    ] = False,
) -> None:
    """Show frames and features that no split, ledger, branch or tag refers to; --yes removes them.

    Videos and models are never touched: for those there is `dvc gc`.
    """
    from flows.gc import collect

    garbage = collect(remove=yes, all_commits=all_commits)
    if not garbage.files:
        print("All frames that are kept are referred to.")
        return
    for why, files in sorted(garbage.files.items()):
        print(f"{files:8,} files  {why}")
    size = f"{garbage.freed / 2**20:,.1f} MiB"
    if yes:
        print(f"Removed; {size} are free again. What is needed later is made again.")
    else:
        print(f"Removing them frees {size}. Nothing was removed yet: `reelflow gc --yes` does it.")
