"""What our dependencies read of the environment when they are imported. Usage reports and update
checks are off unless the user turned them on."""

from __future__ import annotations

import os

SWITCHES = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "1",  # see reelflow.base.determinism
}


def off() -> None:
    """Set each switch in this process and its children, where the user has not set it."""
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)
