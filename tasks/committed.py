"""Files of an output as DVC last committed them, in DVC's cache.

DVC removes an output before it runs the stage that makes it. A stage that wants to go on from what
it once made, in a fresh clone too, finds it here by the layout that DVC documents:
https://dvc.org/doc/user-guide/project-structure/internal-files
"""

from __future__ import annotations

import configparser
import json
from pathlib import Path

import yaml

LOCK = Path("dvc.lock")
_DVC = Path(".dvc")


def committed_files(output: Path) -> dict[str, Path]:
    """The files of a folder that `dvc.lock` names as an output, by their paths in it; empty where
    DVC does not know of it. That a file is in the lock does not mean that it is in the cache."""
    try:
        lock = yaml.safe_load(LOCK.read_text(encoding="utf-8"))
        outs = [out for stage in lock["stages"].values() for out in stage.get("outs", [])]
        digest = next(out["md5"] for out in outs if out["path"] == output.as_posix())
        cache = _cache_folder() / "files" / "md5"
        listing = json.loads(_object(cache, digest).read_text(encoding="utf-8"))
    except (FileNotFoundError, KeyError, StopIteration):
        return {}
    return {entry["relpath"]: _object(cache, entry["md5"]) for entry in listing}


def _object(cache: Path, digest: str) -> Path:
    return cache / digest[:2] / digest[2:]


def _cache_folder() -> Path:
    """`cache.dir` of this project or clone, else DVC's default."""
    config = configparser.ConfigParser(interpolation=None)
    config.read([_DVC / "config", _DVC / "config.local"], encoding="utf-8")
    return _DVC / config.get("cache", "dir", fallback="cache")
