"""What this machine keeps of features: a file a clip, in a folder a spec.

    .reelflow/features/0123456789abcdef/<hash of the video>.npy

A memory, not an output: it may be deleted at any time. A file is written whole or not at all, and
holds the same bytes whoever writes it, so two runs at once do not disturb each other.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from reelflow.base.files import remove_left_over
from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.store.shards import Records, is_whole, write_shard

log = logging.getLogger(__name__)


class FeatureCache:
    """Features of one spec.

    Args:
        folder: of all specs.
        spec: of the features.
    """

    def __init__(self, folder: Path, spec: EmbeddingSpec) -> None:
        self.folder = folder / spec.id
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_left_over(self.folder)

    def path(self, video_hash: str) -> Path:
        """Where the features of a video lie or are to lie."""
        return self.folder / f"{video_hash}.npy"

    def get(self, video_hash: str) -> Records | None:
        """The features of a video, one record; None if there are none, or not whole."""
        path = self.path(video_hash)
        if not path.exists():
            return None
        if not is_whole(path):
            log.warning("%s is damaged; the features of this video are made anew", path)
            return None
        features: Records = np.load(path, allow_pickle=False)
        return features

    def keep(self, video_hash: str, features: Records) -> None:
        """Write the features of a video."""
        write_shard(self.path(video_hash), features)


def unreferenced(
    folder: Path, spec: EmbeddingSpec, videos: Collection[str]
) -> Iterator[tuple[Path, str]]:
    """Kept features that are not wanted, and why.

    Args:
        folder: of all specs.
        spec: of the features that are made now.
        videos: hashes of the videos whose features are wanted.
    """
    for path in folder.glob("*/*.npy"):
        if path.parent.name != spec.id:
            yield path, "features of other settings"
        elif path.stem not in videos:
            yield path, "features of videos that are gone"
