"""`reelflow search`: which settings serve these videos best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Data
from cli.run import run_on
from reelflow.base.terminal import say
from reelflow.base.words import count

if TYPE_CHECKING:
    from flows.engine.trials import Trials


def search(
    data: Data = None,
    trials: Annotated[
        int, typer.Option(min=0, help="Trials in all; by default search.trials.")
    ] = 0,
    network: Annotated[
        str, typer.Option(help="The only network to try; by default those of search.space.")
    ] = "",
    workers: Annotated[int, typer.Option(min=1, help="Trials at once.")] = 1,
    write: Annotated[
        bool, typer.Option("--write", help="Put the best settings into params.yaml.")
    ] = False,
) -> None:
    """Try settings of search.space, each judged by folds of the training and validation videos.

    The test is never looked at. A search that was stopped goes on with the same command.
    """
    from flows.engine.run_search import search as run_search
    from flows.engine.run_search import write_best
    from tasks.common.paths import PARAMS

    def show(found: Trials) -> None:
        _print(found)
        if write:
            write_best(found)
            print(f"{PARAMS} holds them now; `reelflow run` trains with them.")
        else:
            print("to keep them   reelflow search --write")

    run_on(data, lambda: run_search(network, trials, workers, say), show)


def _print(trials: Trials) -> None:
    from flows.engine.run_search import TABLE

    best = trials.best
    assert best is not None
    print(
        f"best of {count(trials.done, 'trial')}: trial {best.number + 1}, balanced accuracy "
        f"{best.value:.3f} in {count(len(best.intermediate_values), 'fold')}"
    )
    for name, value in best.params.items():
        print(f"  train.{name}: {value}")
    print(
        "The best of many is flattered by luck: the test shows what it reaches on new groups.\n"
        f"a row a trial  {TABLE}"
    )
