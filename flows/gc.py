"""Garbage collection of frames, features, folds and checkpoints: `reelflow gc`.

It looks at what this machine remembers in `.reelflow` and can make again from the videos: frames,
features, outcomes of folds, and checkpoints that no training has written for a week. It keeps what
`data/frames` holds, the clips and features, of the present params, of videos in the manifest, a
split or the ledger, since these may come back, and the folds of the present code and stores. What
DVC's cache holds is left to `dvc gc`.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pandas as pd

from flows.engine.fold_jobs import made_by_of
from flows.engine.run_lock import only_run
from reelflow.base.errors import DataError
from reelflow.base.split_names import SPLITS
from reelflow.crossval import finished_folds as kept_folds
from reelflow.embeddings import feature_cache
from reelflow.extraction.decoded_cache import unreferenced
from reelflow.networks import NETWORKS
from reelflow.params import load_section
from reelflow.params.embed import EmbedParams
from reelflow.params.extract import ExtractParams
from reelflow.training.checkpoint import forgotten
from tasks.common import paths
from tasks.embed import embedding_spec
from tasks.extract import clip_spec


def collect(*, remove: bool) -> tuple[Counter[str], int]:
    """Find the frames and features that nothing refers to; remove them if asked.

    Args:
        remove: whether to remove them.

    Returns:
        how many files there are, by why they are not wanted; and the bytes that the disk gets back:
        those of files that have no other name, as in DVC's cache.

    Raises:
        ReelflowError: another run is at work, or there are no params here.
    """
    with only_run():
        videos, kept = _videos(), {path.name for path in paths.FRAMES.glob("*")}
        spec = clip_spec(load_section(paths.PARAMS, ExtractParams))
        found = dict(unreferenced(paths.KEPT_FRAMES, kept, spec, videos))
        features = embedding_spec(load_section(paths.PARAMS, EmbedParams))
        found |= feature_cache.unreferenced(paths.KEPT_FEATURES, features, videos)
        found |= dict.fromkeys(forgotten(paths.CHECKPOINTS), "checkpoints of a week ago or more")
        with suppress(DataError):  # without stores nobody can tell which folds are wanted
            present = {made_by_of(network) for network in NETWORKS}
            folds = kept_folds.unreferenced(paths.FOLDS, present, videos)
            found |= dict.fromkeys(folds, "folds of a cross-validation with other code or videos")
        freed = sum(status.st_size for path in found if (status := path.stat()).st_nlink == 1)
        if remove:
            for path in found:
                path.unlink()
        return Counter(found.values()), freed


def _videos() -> set[str]:
    """The hashes of the videos that the manifest, a split or the ledger names."""
    hashes: set[str] = set()
    if paths.MANIFEST.exists():
        hashes.update(pd.read_parquet(paths.MANIFEST, columns=["hash"])["hash"])
    for path in (paths.LEDGER, *(paths.PREPARED / f"{split}.csv" for split in SPLITS)):
        if path.exists():
            hashes.update(pd.read_csv(path, usecols=["hash"], dtype=str)["hash"])
    return hashes
