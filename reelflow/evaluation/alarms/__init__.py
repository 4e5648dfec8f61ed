"""Alarms: reasons not to believe a score, a file each.

An alarm is a module with a function `alarm(facts)` that returns its sentence, or None where there
is no reason for it; `ALARMS` is the list of them, the gravest first. To add one, write the file and
name it here: the report says its sentence, and the JSON of all figures has it under `alarms`.
"""

from __future__ import annotations

from reelflow.evaluation.alarms import (
    hidden_groups,
    majority,
    metadata,
    near_duplicates,
    one_frame,
    wide_interval,
)
from reelflow.evaluation.alarms.facts import Facts, Looks

__all__ = ["ALARMS", "Facts", "Looks", "raised"]

ALARMS = {
    "majority": majority.alarm,
    "near_duplicates": near_duplicates.alarm,
    "metadata": metadata.alarm,
    "one_frame": one_frame.alarm,
    "hidden_groups": hidden_groups.alarm,
    "wide_interval": wide_interval.alarm,
}


def raised(facts: Facts) -> dict[str, str | None]:
    """The sentence of each alarm, by name; None where it is silent."""
    return {name: alarm(facts) for name, alarm in ALARMS.items()}
