"""A search from the command line: `search`, which `reelflow search` prints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flows.engine import optuna_study as studies
from flows.engine.params_override import set_params
from flows.engine.run_folds import run_folds
from flows.engine.run_lock import only_run
from flows.engine.stage_outcomes import PipelineResult
from flows.engine.trials import Trials, asked, open_trials
from reelflow.base.csv_table import write_table
from tasks.common.paths import PARAMS, REPORT

TABLE = REPORT.with_name("search.csv")


def search(
    network: str, trials: int, workers: int, echo: Callable[[str], None]
) -> tuple[PipelineResult, Trials | None]:
    """Run the stages before `train` and the trials that are left; write a row a trial.

    Args:
        network: the only one that is tried; empty for those of the space.
        trials: how many in all; 0 for the number in params.yaml.
        workers: trials at once.
        echo: takes each line for a console.

    Returns:
        the outcome of the stages and of the trials; and, if all went well, the trials.

    Raises:
        ReelflowError: nothing was started: another run is at work, wrong params, no graph, the
            videos cannot be divided, or the database of the trials cannot be used.
    """
    with only_run():
        begin = partial(open_trials, asked(network, trials))
        result = run_folds("search", Trials.unit, begin, workers, echo)
        if result.error:
            return result, None
        found = begin()
        write_table(TABLE, studies.table(found.study))
        return result, found


def write_best(trials: Trials) -> None:
    """Put the settings of the best trial into params.yaml; its comments stay."""
    best = trials.best
    assert best is not None
    set_params(PARAMS, {f"train.{name}": value for name, value in best.params.items()})
