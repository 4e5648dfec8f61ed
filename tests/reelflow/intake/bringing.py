"""A source planned and carried out in one step, as `reelflow run --data` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reelflow.intake.apply_import import Brought, carry_out
from reelflow.intake.plan_import import plan_import
from reelflow.intake.read_folder_or_csv import read_source


def bring(source: Path, raw: Path, ledger: Path, *, copy: bool = False, **options: Any) -> Brought:
    """Make `raw` hold the videos of `source`; `options` are those of `plan_import`."""
    return carry_out(
        plan_import(read_source(source), raw, ledger, **options), raw, ledger, copy=copy
    )
