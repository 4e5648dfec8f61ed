"""The embeddings of a data set: a matrix a block of features, a row a video.

    embeddings/motion.conv_pw_13_relu.mean.npy   float32 (N, D), a block: view, layer, statistic
    embeddings/videos.csv                        the hash of each row, sorted
    embeddings/spec.json                         what the features are made of; written last

Matrices are NumPy's own format and are mapped, so that only what is asked for is read. Where no
network reads embeddings, a store has no videos and no blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.csv_table import write_table
from reelflow.base.errors import DataError
from reelflow.base.files import replacing, write_json

_SPEC, _VIDEOS = "spec.json", "videos.csv"

Features = NDArray[np.float32]


class EmbeddingStore:
    """The embeddings in a folder.

    Attributes:
        spec: what the features are made of, with `id`.
        hashes: of the videos, sorted.
        blocks: names of the blocks, `motion/conv_pw_13_relu/mean`, in the order of the spec.

    Raises:
        DataError: there is no such folder, or it is not complete.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            spec: dict[str, Any] = json.loads((root / _SPEC).read_text(encoding="utf-8"))
            self.hashes = list(pd.read_csv(root / _VIDEOS, dtype=str)["hash"])
        except FileNotFoundError:
            raise DataError(f"{root} holds no embeddings: run the stage `embed` first.") from None
        self.blocks: list[str] = spec.pop("blocks")
        self.spec = spec
        self._row = {video: row for row, video in enumerate(self.hashes)}

    def __contains__(self, video: str) -> bool:
        return video in self._row

    def features(self, block: str, hashes: Iterable[str]) -> Features:
        """A block of features of these videos, float32 (N, D), in this order."""
        rows = [self._row[video] for video in hashes]
        matrix: Features = np.load(self.root / _file(block), mmap_mode="r", allow_pickle=False)
        return np.asarray(matrix[rows])

    def vector(self, video: str, blocks: Sequence[str]) -> Features:
        """The features of a video, float32 (D,): these blocks side by side."""
        return np.concatenate([self.features(block, [video])[0] for block in blocks])


def write_embeddings(
    root: Path,
    spec: Mapping[str, Any],
    hashes: Sequence[str],
    records: Iterable[Mapping[str, Features]],
) -> None:
    """Write a store, and remove what else is in its folder.

    Args:
        root: the folder.
        spec: what the features are made of, as JSON has it.
        hashes: of the videos, sorted.
        records: for each video, in this order, its features (D,) by block; all have the same.
    """
    root.mkdir(parents=True, exist_ok=True)
    # Without it the folder counts for nothing, whatever happens from here on.
    (root / _SPEC).unlink(missing_ok=True)
    matrices: dict[str, np.memmap[Any, np.dtype[np.float32]]] = {}
    with ExitStack() as stack:
        for row, record in enumerate(records):
            for block, values in record.items():
                if block not in matrices:
                    path = stack.enter_context(replacing(root / _file(block)))
                    matrices[block] = np.lib.format.open_memmap(
                        path, "w+", np.float32, (len(hashes), *values.shape)
                    )
                matrices[block][row] = values
        for matrix in matrices.values():
            matrix.flush()
    write_table(root / _VIDEOS, pd.DataFrame({"hash": hashes}, dtype=str))
    kept = {_VIDEOS, *map(_file, matrices)}
    for path in root.iterdir():
        if path.name not in kept:
            path.unlink()
    write_json(root / _SPEC, {**spec, "blocks": list(matrices)})


def _file(block: str) -> str:
    return f"{block.replace('/', '.')}.npy"
