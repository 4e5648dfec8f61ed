"""The files of an output in DVC's cache.

DVC removes an output before it runs its stage. A stage that goes on from its former output, also in
a fresh clone, finds it here by the layout that DVC documents:
https://dvc.org/doc/user-guide/project-structure/internal-files

A file of the workspace and DVC's copy of it are one file on the disk, so that damage to one is
damage to both. DVC believes the read-only files of its cache, and would restore the damage. So
damaged copies are removed.
"""

from __future__ import annotations

import configparser
import json
import logging
from pathlib import Path

import yaml

from reelflow.base.files import digest_of

log = logging.getLogger(__name__)

GRAPH = Path("dvc.yaml")
LOCK = Path("dvc.lock")
_DVC = Path(".dvc")


def committed_files(output: Path) -> dict[str, Path]:
    """The files of an output that `dvc.lock` names, by their paths in it; `.` if it is a file.
    Empty if DVC does not know the output. The cache need not hold all of the files."""
    try:
        lock = yaml.safe_load(LOCK.read_text(encoding="utf-8"))
        outs = [out for stage in lock["stages"].values() for out in stage.get("outs", [])]
        digest = next(out["md5"] for out in outs if out["path"] == output.as_posix())
        cache = cache_folder()
        if not digest.endswith(".dir"):
            return {".": cached_file(cache, digest)}
        listing = json.loads(cached_file(cache, digest).read_text(encoding="utf-8"))
    except (FileNotFoundError, KeyError, StopIteration):
        return {}
    return {entry["relpath"]: cached_file(cache, entry["md5"]) for entry in listing}


def drop_damaged(output: Path) -> None:
    """Remove the files of an output from DVC's cache that do not have the hash in their names."""
    for name, kept in committed_files(output).items():
        if kept.is_file() and digest_of(kept, "md5") != kept.parent.name + kept.name:
            log.warning("%s was damaged in DVC's cache (%s) and is removed there", name, kept)
            kept.unlink()


def cached_file(cache: Path, digest: str) -> Path:
    """Where DVC keeps the file of this MD5 in its cache."""
    return cache / digest[:2] / digest[2:]


def cache_folder() -> Path:
    """Where the files are in `cache.dir` of this project or clone, else in DVC's default."""
    config = configparser.ConfigParser(interpolation=None)
    config.read([_DVC / "config", _DVC / "config.local"], encoding="utf-8")
    return _DVC / config.get("cache", "dir", fallback="cache") / "files" / "md5"
