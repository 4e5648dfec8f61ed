"""Effects of a stage that DVC cannot see, and whether they are there.

DVC knows files. A clone that pulled every output but points at an empty MLflow has nothing to do
for DVC, and still no registered model: the stage `register` must run once more there.
"""

from __future__ import annotations

import json

from tasks.paths import METRICS

REGISTRATION = METRICS / "register.json"


def missing_effect(stage: str) -> str:
    """Why a stage whose outputs are up to date must run all the same; empty if it need not.

    Raises:
        ReelflowError: the registry cannot be asked.
    """
    if stage != "register" or not REGISTRATION.is_file():
        return ""
    from reelflow.registry import is_registered

    wanted = json.loads(REGISTRATION.read_text(encoding="utf-8"))
    if is_registered(wanted["name"], wanted["model_hash"], wanted["data_hash"]):
        return ""
    return f"the registry does not hold this model as `{wanted['name']}`"
