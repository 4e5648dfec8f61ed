"""A source planned and carried out in one step, as `reelflow run --data` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reelflow.intake.apply_import import carry_out
from reelflow.intake.import_plan import Plan
from reelflow.intake.make_import_plan import plan_import
from reelflow.intake.read_folder_or_csv import read_source


def bring(
    source: Path, raw: Path, ledger: Path, *, copy: bool = False, **options: Any
) -> tuple[int, int, int]:
    """Make `raw` hold the videos of `source`; `options` are those of `plan_import`. Returns the
    numbers of videos that are new, were there, and are gone."""
    plan = plan_import(read_source(source), raw, ledger, **options)
    carry_out(plan, raw, ledger, copy=copy)
    return counts(plan)


def counts(plan: Plan) -> tuple[int, int, int]:
    """How many videos a plan brings, finds there, and takes out."""
    return len(plan.put), plan.there, len(plan.gone)
