"""Garbage collection of frames, features, folds and checkpoints: `reelflow gc`.

It looks at what can be made again from the videos: frames kept in `.reelflow/frames`, features in
`.reelflow/features`, outcomes of folds in `.reelflow/crossval`, checkpoints that no training has
written for a week, and former versions of `data/frames` in DVC's cache. It keeps the frames that
`dvc.lock` names, now or in any branch, tag or experiment, as DVC finds them for `dvc gc`. It also
keeps the clips and features, of the present params, of videos in the manifest, a split or the
ledger, since these may come back, and the folds of the present code and stores.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from flows.engine.dvc_graph import dvc_repo
from flows.engine.fold_jobs import made_by
from flows.engine.run_lock import only_run
from reelflow.base.errors import DataError
from reelflow.base.split_names import SPLITS
from reelflow.crossval import kept as kept_folds
from reelflow.embeddings import feature_cache
from reelflow.extraction.decoded_cache import unreferenced
from reelflow.params import load_section
from reelflow.params.embed import EmbedParams
from reelflow.params.extract import ExtractParams
from reelflow.store.frame_store import SPEC
from reelflow.store.index_file import INDEX
from reelflow.training.checkpoint import forgotten
from tasks.common.paths import (
    CHECKPOINTS,
    FOLDS,
    FRAMES,
    KEPT_FEATURES,
    KEPT_FRAMES,
    LEDGER,
    MANIFEST,
    PARAMS,
    PREPARED,
)
from tasks.embed import embedding_spec
from tasks.extract import clip_spec

if TYPE_CHECKING:
    from dvc.repo import Repo

_SHARD = re.compile(r"[0-9a-f]{8}-[0-9a-f]{16}\.npy")
_FORMER = "former versions in DVC's cache"


@dataclass(frozen=True)
class Garbage:
    """Files that nothing refers to.

    Attributes:
        files: how many there are, by why they are not wanted.
        freed: bytes that the disk gets back: those of files of which no name is left.
    """

    files: dict[str, int]
    freed: int


def collect(*, remove: bool, all_commits: bool = False) -> Garbage:
    """Find the frames and features that nothing refers to; remove them if asked.

    Args:
        remove: whether to remove them.
        all_commits: keep what any commit refers to, not only the tips of branches and tags.

    Raises:
        ReelflowError: another run or DVC command is at work, or DVC cannot read a revision.
    """
    with only_run(), dvc_repo() as repo, repo.lock:
        used = _used(repo, all_commits=all_commits)
        stores = list(_stores(Path(repo.cache.local.path)))
        kept = {path.name for path in FRAMES.glob("*")}
        for listing, files in stores:
            if _object_id(listing) in used:
                kept |= files.keys()
        spec = clip_spec(load_section(PARAMS, ExtractParams))
        videos = _videos()
        found = dict(unreferenced(KEPT_FRAMES, kept, spec, videos))
        features = embedding_spec(load_section(PARAMS, EmbedParams))
        found |= feature_cache.unreferenced(KEPT_FEATURES, features, videos)
        found |= dict.fromkeys(forgotten(CHECKPOINTS), "checkpoints of a week ago or more")
        with suppress(DataError):  # without stores nobody can tell which folds are wanted
            found |= kept_folds.unreferenced(FOLDS, made_by(), videos)
        for listing, files in stores:
            for path in (listing, *files.values()):
                if _object_id(path) not in used and path.exists():
                    found[path] = _FORMER
        garbage = Garbage(dict(Counter(found.values())), _freed(list(found)))
        if remove:
            for path in found:
                path.unlink()
        return garbage


def _used(repo: Repo, *, all_commits: bool) -> set[str]:
    """The hashes that the workspace and the revisions refer to."""
    # DVC warns of each stage that was never run, in every revision.
    logging.getLogger("dvc").setLevel(logging.ERROR)
    used = repo.used_objs(
        all_branches=True, all_tags=True, all_experiments=True, all_commits=all_commits
    )
    return {str(found.value) for objects in used.values() for found in objects}


def _stores(cache: Path) -> Iterator[tuple[Path, dict[str, Path]]]:
    """The listings of frame stores in DVC's cache, each with its files by name."""
    for listing in cache.glob("*/*.dir"):
        entries: list[dict[str, Any]] = json.loads(listing.read_text(encoding="utf-8"))
        names = {entry["relpath"] for entry in entries}
        if {INDEX, SPEC} <= names and all(map(_SHARD.fullmatch, names - {INDEX, SPEC})):
            yield (
                listing,
                {e["relpath"]: cache / e["md5"][:2] / e["md5"][2:] for e in entries},
            )


def _object_id(path: Path) -> str:
    return path.parent.name + path.name


def _videos() -> set[str]:
    """The hashes of the videos that the manifest, a split or the ledger names."""
    hashes: set[str] = set()
    if MANIFEST.exists():
        hashes.update(pd.read_parquet(MANIFEST, columns=["hash"])["hash"])
    for path in (LEDGER, *(PREPARED / f"{split}.csv" for split in SPLITS)):
        if path.exists():
            hashes.update(pd.read_csv(path, usecols=["hash"], dtype=str)["hash"])
    return hashes


def _freed(paths: list[Path]) -> int:
    names: Counter[tuple[int, int]] = Counter()
    freed = 0
    for path in paths:
        status = path.stat()
        file = (status.st_dev, status.st_ino)
        names[file] += 1
        if names[file] == status.st_nlink:
            freed += status.st_size
    return freed
