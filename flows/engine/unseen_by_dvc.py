"""What DVC cannot see: a stage's effects and dependencies that are no files.

DVC knows files alone. In a clone that pulled every output and has an empty MLflow, DVC has nothing
to do, and still there is no registered model: `register` must run once more. Another ffmpeg or PyAV
may decode the same videos differently, so `ingest`, `extract` and `embed` must run again.
"""

from __future__ import annotations

from pathlib import Path

from reelflow.base.decoder_versions import decoders
from tasks.common.inputs import read_json
from tasks.common.paths import METRICS

# Stages whose metrics name the decoders.
_DECODING = ("ingest", "extract", "embed")
REGISTRATION = METRICS / "register.json"


def missing_effect(stage: str) -> str:
    """Why a stage must run although its outputs are up to date; empty if it need not.

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
