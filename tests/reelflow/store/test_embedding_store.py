from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.store.embedding_store import EmbeddingStore, write_embeddings

HASHES = [letter * 64 for letter in "abc"]
RECORDS = [
    {"whole/top/mean": np.arange(2, dtype=np.float32) + n, "motion/top/mean": np.full(3, n, "f4")}
    for n in range(3)
]


def written(root: Path) -> EmbeddingStore:
    write_embeddings(root, {"rate": 12.5, "id": "x"}, HASHES, RECORDS)
    return EmbeddingStore(root)


def test_what_was_written_is_read_in_any_order(tmp_path: Path) -> None:
    store = written(tmp_path)
    assert store.hashes == HASHES
    assert store.blocks == ["whole/top/mean", "motion/top/mean"]
    assert store.spec == {"rate": 12.5, "id": "x"}
    found = store.features("whole/top/mean", [HASHES[2], HASHES[0]])
    np.testing.assert_array_equal(found, np.array([[2, 3], [0, 1]], np.float32))
    side_by_side = store.vector(HASHES[1], ["motion/top/mean", "whole/top/mean"])
    np.testing.assert_array_equal(side_by_side, np.array([1, 1, 1, 1, 2], np.float32))


def test_the_same_features_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (written(tmp_path / name).root for name in "xy")
    files = {path.name: path.read_bytes() for path in one.iterdir()}
    assert files == {path.name: path.read_bytes() for path in two.iterdir()}


def test_a_store_may_be_empty_and_keeps_nothing_of_a_former_one(tmp_path: Path) -> None:
    written(tmp_path)
    write_embeddings(tmp_path, {}, [], [])
    store = EmbeddingStore(tmp_path)
    assert (store.hashes, store.blocks, store.spec) == ([], [], {})
    assert {path.name for path in tmp_path.iterdir()} == {"spec.json", "videos.csv"}


def test_a_store_that_was_not_written_to_its_end_is_none(tmp_path: Path) -> None:
    written(tmp_path)

    def broken() -> NDArray[np.float32]:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_embeddings(tmp_path, {}, HASHES, (broken() for _ in HASHES))  # type: ignore[arg-type, misc]
    with pytest.raises(DataError, match="run the stage `embed` first"):
        EmbeddingStore(tmp_path)
