"""The library: video, frames, splits, networks, metrics, registry.

It takes and returns values (paths it is handed, arrays, tables, models); it never knows where the
pipeline keeps its files, who called it, or that there is a pipeline at all.
"""

# Before any tool is imported, whoever imports this package first: a command, a stage, a worker.
from reelflow.base.telemetry import off as _off

_off()
