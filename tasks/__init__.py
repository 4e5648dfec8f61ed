"""What is done: one module a stage. Reads files, calls `reelflow`, writes files."""

import reelflow  # noqa: F401 (no tool reports home that is imported after it)
