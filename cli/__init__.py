"""The door: the `reelflow` command. Parses, calls, prints."""

import reelflow  # noqa: F401 (no tool reports home that is imported after it)
