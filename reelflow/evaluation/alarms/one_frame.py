"""Does time matter? Is it no better than on one frame?

A network that reads frames is shown the middle frame of each test clip in place of all. A head on
embeddings is compared, by its folds, with one on what the videos look like, averaged over time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.base.words import percent
from reelflow.evaluation.alarms.facts import Facts
from reelflow.evaluation.answers import group_codes
from reelflow.evaluation.paired import swapped

_APPEARANCE = "appearance"
_LEVEL = 0.05


def alarm(facts: Facts) -> str | None:
    """Where motion is not shown to add to looks; only of a model that is better than chance."""
    if not facts.verdict.proven:
        return None
    return _of_embeddings(facts) if facts.frozen is None else _of_frames(facts, facts.frozen)


def _of_frames(facts: Facts, frozen: NDArray[Any]) -> str | None:
    gain = facts.right.astype(float) - frozen
    parts = np.bincount(group_codes(list(facts.test["group"])), gain)
    # Both ways to differ count there, one of them here.
    if parts.sum() > 0 and swapped(parts.astype(np.float64)) / 2 <= _LEVEL:
        return None
    return (
        f"Time may not matter: with the middle frame of each clip in place of all, this model is "
        f"right for {percent(float(frozen.mean()))}, with all frames for "
        f"{percent(float(facts.right.mean()))}. A model of single pictures may do as well."
    )


def _of_embeddings(facts: Facts) -> str | None:
    judged = {str(one["features"]): one for one in facts.candidates if "balanced_accuracy" in one}
    chosen = next((one for one in judged.values() if one["chosen"]), None)
    still = judged.get(_APPEARANCE)
    if chosen is None or still is None or "standard_error" not in chosen:
        return None
    lead = chosen["balanced_accuracy"] - still["balanced_accuracy"]
    if chosen is not still and lead > chosen["standard_error"]:
        return None
    return (
        "Time may not matter: in the folds of the training videos, a head on what the videos look "
        f"like, averaged over time, reaches {percent(still['balanced_accuracy'])} balanced "
        f"accuracy; what was chosen, {percent(chosen['balanced_accuracy'])}. A model of single "
        "pictures may do as well."
    )
