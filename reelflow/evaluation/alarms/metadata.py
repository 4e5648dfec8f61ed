"""Is it no better than a model that sees no picture?"""

from __future__ import annotations

from reelflow.base.words import interval, percent
from reelflow.evaluation.alarms.facts import Facts

_LEARNED = (
    "This model may have learned the cameras and programs alone; the data report shows which."
)


def alarm(facts: Facts) -> str | None:
    """How well file properties alone predict the class, beside what the model reaches."""
    scores = facts.scores
    found = {name: score for name, score in facts.shortcuts.items() if score["alarming"]}
    if not found:
        return None
    name, score = max(found.items(), key=lambda item: float(item[1]["share"]))
    own, low = scores["balanced_accuracy"], scores["balanced_accuracy_low"]
    figures = (
        f"from {name} alone, a small model reaches {percent(score['share'])} "
        f"({interval({'_low': score['low'], '_high': score['high']}, '')}) balanced accuracy; this "
        f"model, with pictures, {percent(own)} ({interval(dict(scores), 'balanced_accuracy')})"
    )
    if score["share"] >= own:
        return f"A model without pictures is as good: {figures}. {_LEARNED}"
    if low is None or score["share"] >= low:
        return (
            "The test is too small to show that this model is better than one without pictures: "
            f"{figures}. {_LEARNED}"
        )
    return (
        f"The class can be predicted without the pictures: {figures}. This model may have learned "
        "cameras and programs in part; the data report shows which."
    )
