"""What a stage depends on or brings about that DVC cannot see, and whether it is as it should be.

DVC knows files. A clone that pulled every output but points at an empty MLflow has nothing to do
for DVC, and still no registered model: the stage `register` must run once more there. And another
ffmpeg or PyAV may judge or decode the same videos otherwise.
"""

from __future__ import annotations

from pathlib import Path

from reelflow.base.decoder_versions import decoders
from tasks.common.inputs import read_json
from tasks.common.paths import METRICS

# Stages whose metrics say what decoded.
_DECODING = ("ingest", "extract")
REGISTRATION = METRICS / "register.json"


def missing_effect(stage: str) -> str:
    """Why a stage whose outputs are up to date must run all the same; empty if it need not.

    Raises:
        ReelflowError: the registry cannot be asked.
    """
    if stage in _DECODING:
        return _other_decoders(METRICS / f"{stage}.json")
    if stage != "register" or not REGISTRATION.is_file():
        return ""
    from reelflow.registry.versions import registration

    wanted = read_json(REGISTRATION)
    if registration(wanted["name"], wanted["model_hash"], wanted["data_hash"]):
        return ""
    return f"the registry does not hold this model as `{wanted['name']}`"


def _other_decoders(metrics: Path) -> str:
    if not metrics.is_file():
        return ""
    former = read_json(metrics).get("decoders", "others")
    if former == decoders():
        return ""
    return f"it was done with {former}; now there is {decoders()}"
