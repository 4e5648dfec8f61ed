"""What is damaged in DVC's cache goes before DVC restores it.

A file of the workspace and DVC's copy of it are one file on the disk. DVC notices when the one is
written to, takes the other, which is read-only, for right, and puts it in place.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.common.dvc_outputs import drop_damaged

if TYPE_CHECKING:
    from dvc.repo import Repo


def drop_damage(repo: Repo, node: str) -> None:
    """Look at what DVC's cache has of those outputs of a stage that are not as they were."""
    for stage in repo.index.stages:
        if stage.addressing == node and stage.cmd:
            for out in stage.outs:
                if out.use_cache and out.status():
                    drop_damaged(Path(os.path.relpath(out.fs_path, repo.root_dir)))
