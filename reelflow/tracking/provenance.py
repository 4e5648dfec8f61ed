"""Where a model comes from: the commit of the code, the lock of the pipeline, the versions."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import yaml

PACKAGES = ("reelflow", "tensorflow", "keras", "numpy", "mlflow", "dvc", "prefect", "av",
            "imageio-ffmpeg")  # fmt: skip


def commit_tags(folder: Path, outputs: Sequence[str]) -> dict[str, str]:
    """Tags of a run: the commit of the repository that holds `folder`, and whether tracked or
    Python files differ from it (`true` or `false`). No tags outside git or before a commit.
    Changes in `outputs`, which a run itself writes, do not change the code."""
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return {}
    without = [f":(exclude){name}" for name in outputs]
    status = _git(folder, "status", "--porcelain", "--untracked-files=all", "--", ".", *without)
    # A new note does not matter; a new module may be the network that was trained.
    dirty = any(
        not line.startswith("??") or line.rstrip('"').endswith(".py")
        for line in (status or "").splitlines()
    )
    return {"mlflow.source.git.commit": head.strip(), "reelflow.git_dirty": str(dirty).lower()}


def is_revision(folder: Path, name: str) -> bool:
    """Whether git knows a commit by this name in the repository that holds `folder`."""
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return _git(folder, *asked) is not None


def lock_hash(lock: Path, without: str) -> str | None:
    """SHA-256 over the stages in `dvc.lock` but one; None if there is no such file.

    `without` is the stage that calls this: its entry is still that of the run before, or missing.
    """
    try:
        content = yaml.safe_load(lock.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return None
    stages = {name: stage for name, stage in content.get("stages", {}).items() if name != without}
    return hashlib.sha256(json.dumps(stages, sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that can change a result."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # whichever git the user has
            capture_output=True,
            check=True,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
