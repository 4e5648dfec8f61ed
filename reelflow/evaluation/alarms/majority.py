"""Is it no better than always giving the commonest answer?"""

from __future__ import annotations

from reelflow.evaluation.alarms.facts import Facts


def alarm(facts: Facts) -> str | None:
    """The verdict's sentence, unless the verdict is that it is better."""
    return None if facts.verdict.proven else facts.verdict.sentence
