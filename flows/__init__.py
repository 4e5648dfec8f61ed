"""When it is done: Prefect flows. Only this floor knows Prefect."""

import os

import reelflow  # noqa: F401 (no tool reports home that is imported after it)

# `python -m flows.train` without a server has Prefect start one, for which it waits 20 seconds by
# default: too few on a slow or busy machine.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
