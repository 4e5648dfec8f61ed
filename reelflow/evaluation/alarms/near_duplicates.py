"""Do training and test share copies of one film?

`preprocess` keeps near-duplicates in one split; a split that comes with the videos may not.
"""

from __future__ import annotations

from reelflow.base.words import count
from reelflow.evaluation.alarms.facts import Facts


def alarm(facts: Facts) -> str | None:
    """How many test videos have a copy among those that were learned from."""
    known = facts.manifest.dropna(subset="alike").set_index("hash")["alike"]
    learned = set(facts.learned["hash"].map(known).dropna())
    shared = facts.test["hash"].map(known).isin(learned)
    if not shared.any():
        return None
    first = facts.manifest.set_index("hash")["path"][facts.test.loc[shared, "hash"].iloc[0]]
    return (
        f"{count(int(shared.sum()), 'test video')} of {len(shared)} "
        f"{'has' if shared.sum() == 1 else 'have'} a near-duplicate among the training and "
        f"validation videos, the first being {first}: the split that came with the videos "
        "separates copies of one film, so the test is easier than new videos will be."
    )
