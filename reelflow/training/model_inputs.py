"""What a model is shown of a video: the views of its clip, or its embedding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.store.crops_and_segments import views
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.store.frame_store import FrameStore

# From the hash of a video to what `predict_views` takes, (V, …).
Shown = Callable[[str], NDArray[Any]]


def views_in(store: FrameStore) -> Shown:
    """The views of the clips in a store."""
    return lambda video: views(store.frames(video), store.spec)


def inputs_of(
    told: Mapping[str, Any], store: FrameStore | None, embeddings: Path, videos: pd.DataFrame
) -> tuple[Shown, pd.DataFrame]:
    """What the model is shown of a video, and the videos of which there is such a thing.

    Args:
        told: what a training tells of its model, as its card has it: `embedding` and `blocks` if
            it reads embeddings.
        store: the frames; None will do for one that reads embeddings.
        embeddings: the folder of an `EmbeddingStore`.
        videos: the column `hash`.

    Raises:
        DataError: the model learned from embeddings that were made otherwise.
    """
    if "embedding" not in told:
        assert store
        return views_in(store), videos
    found = EmbeddingStore(embeddings)
    if found.spec != told["embedding"]:
        raise DataError(f"The model is of other embeddings than {embeddings}: run `train` again.")
    there = videos["hash"].isin(found.hashes)
    return lambda video: found.vector(video, told["blocks"])[np.newaxis], videos[there]
