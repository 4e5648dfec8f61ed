"""No network of its own: the one that serves these videos best, found by folds.

`transfer` is tried first, since it costs seconds once the videos are embedded; then, where there is
something to gain, `r2plus1d`, trained from scratch. See `reelflow.training.choose_network`.
"""

from __future__ import annotations

from pydantic import Field

from reelflow.base.section import Section

READS = "either"
HEAD = "transfer"
CHALLENGER = "r2plus1d"

PURPOSE = "the default: `transfer`, or a network from scratch where that serves these videos better"


class Settings(Section):
    """How much work the choice may cost."""

    budget_minutes: float = Field(
        20.0,
        ge=0.0,
        le=100_000.0,
        description="minutes on two cores that training `r2plus1d` may take, counted in work",
    )
