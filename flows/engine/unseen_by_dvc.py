"""What DVC cannot see: a stage's effects and dependencies that are no files.

DVC knows files alone. In a clone that pulled every output and has an empty MLflow, DVC has nothing
to do, and still there is no registered model: `register` must run once more. Another ffmpeg or PyAV
may decode the same videos differently, so `ingest`, `extract` and `embed` must run again.
"""

from __future__ import annotations

from reelflow.base.decoder_versions import decoders
from tasks.common.paths import METRICS
from tasks.common.stage_inputs import read_json

# Stages whose metrics name the decoders.
_DECODING = ("ingest", "extract", "embed")
REGISTRATION = METRICS / "register.json"


def missing_effect(stage: str) -> str:
    """Why a stage must run although its outputs are up to date; empty if it need not.

    Raises:
        ReelflowError: the registry cannot be asked.
    """
    if stage in _DECODING:
        metrics, now = METRICS / f"{stage}.json", decoders()
        former = read_json(metrics).get("decoders", "others") if metrics.is_file() else now
        return "" if former == now else f"it was done with {former}; now there is {now}"
    if stage != "register" or not REGISTRATION.is_file():
        return ""
    from reelflow.registry.versions import registration

    wanted = read_json(REGISTRATION)
    if registration(wanted["name"], wanted["model_hash"], wanted["data_hash"]):
        return ""
    return f"the registry does not hold this model as `{wanted['name']}`"
