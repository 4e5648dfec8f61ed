"""`reelflow crossval`: how well a network does on groups that it has not seen."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.options import Data
from cli.run import run_on
from reelflow.base.terminal import say
from reelflow.base.words import count, interval, percent


def crossval(
    data: Data = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of whole groups.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="How often groups are dealt anew.")] = 5,
    leave_one_group_out: Annotated[
        bool, typer.Option("--leave-one-group-out", help="A fold for each group, once.")
    ] = False,
    official: Annotated[
        list[str] | None,
        typer.Option(
            help="A list of an official split, as `reelflow import` takes it; once for each split."
        ),
    ] = None,
    network: Annotated[
        str, typer.Option(help="The network that is judged; by default train.network.")
    ] = "",
    workers: Annotated[int, typer.Option(min=1, help="Folds at once.")] = 1,
) -> None:
    """Train once a fold and judge each time on groups that were left out.

    Videos are decoded and embedded once. A cross-validation that was stopped goes on with the same
    command; one that is done costs nothing.
    """
    from flows.engine.run_crossval import Asked, cross_validate

    asked = Asked(folds, repeats, leave_one_group_out, network, workers, tuple(official or ()))
    run_on(data, lambda: cross_validate(asked, say), _print)


def _print(figures: dict[str, Any]) -> None:
    from tasks.crossval import PAGE, TABLE

    print(
        f"{figures['network']}: {figures['made']}, {count(figures['videos'], 'video')} of "
        f"{count(figures['groups'], 'group')}"
    )
    for name, words in (("accuracy", "accuracy"), ("balanced_accuracy", "balanced")):
        deviation = figures[f"{name}_deviation"]
        spread = "" if deviation is None else f" ± {deviation:.3f} between {figures['between']}"
        print(
            f"{words:13} {figures[name]:.3f}{spread}  "
            f"({figures['interval_confidence']:.0%} interval {interval(figures, name)}; "
            f"a constant answer: {percent(figures[f'baseline_{name}'])})"
        )
    if files := figures["without_pictures"]:
        shown = interval({"_low": files["low"], "_high": files["high"]}, "")
        print(f"file properties alone: balanced {files['share']:.3f}  ({shown})")
    print(f"a row a fold  {TABLE}\nreport        {PAGE}")
