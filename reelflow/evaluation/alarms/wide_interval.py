"""Is the interval too wide to decide anything?"""

from __future__ import annotations

from reelflow.base.words import percent
from reelflow.evaluation.alarms.facts import Facts
from reelflow.evaluation.verdict import in_words


def alarm(facts: Facts) -> str | None:
    """Where a useless model and one half-way to perfect would both be within the interval."""
    name = facts.verdict.metric
    least, low, high = (
        facts.scores[key] for key in (f"baseline_{name}", f"{name}_low", f"{name}_high")
    )
    if facts.verdict.code == "too_few":
        return None  # which says it
    if low > least or high < (1 + least) / 2:
        return None
    return (
        f"The interval of the {in_words(name)}, {percent(low)} to {percent(high)}, holds both a "
        "useless and a good model: this test decides nothing. Test videos of more groups make it "
        "narrower; more videos of the same groups hardly do."
    )
