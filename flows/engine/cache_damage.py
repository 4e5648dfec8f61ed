"""Remove damaged files from DVC's cache before DVC restores them.

A file of the workspace and DVC's copy of it are one file on the disk. If somebody writes to it, DVC
notices, but believes its read-only copy and restores the damage.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.common.dvc_outputs import drop_damaged

if TYPE_CHECKING:
    from dvc.repo import Repo


def drop_damage(repo: Repo, node: str) -> None:
    """Check DVC's copies of those outputs of a stage that have changed."""
    for stage in repo.index.stages:
        if stage.addressing == node and stage.cmd:
            for out in stage.outs:
                if out.use_cache and out.status():
                    drop_damaged(Path(os.path.relpath(out.fs_path, repo.root_dir)))
