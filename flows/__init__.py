"""When it is done: Prefect flows. Only this floor knows Prefect."""

import reelflow  # noqa: F401 (no tool reports home that is imported after it)
