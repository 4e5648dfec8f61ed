"""The index of a frame store as a file: a row a clip, and checksums, so that damage is noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from reelflow.base.errors import DataError
from reelflow.base.files import replacing

INDEX = "index.parquet"


def write_index(path: Path, index: pa.Table) -> None:
    """Write an index atomically. The same rows give the same bytes."""
    with replacing(path) as temporary:
        # Hashes do not repeat, and dictionaries do not shorten times. Arrow's own schema would show
        # which rows were read from a former file.
        pq.write_table(
            index,
            temporary,
            compression="zstd",
            use_dictionary=["shard"],
            store_schema=False,
            write_page_checksum=True,
        )


def read_index(path: Path, **how: Any) -> pa.Table:
    """An index, or some columns of it; `how` as of `pyarrow.parquet.read_table`.

    Raises:
        FileNotFoundError: there is none.
        DataError: it is damaged.
    """
    try:
        return pq.read_table(path, page_checksum_verification=True, **how)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise DataError(
            f"{path} is damaged ({error}). Delete it and run the stage `extract` again: it is made "
            "anew from the shards."
        ) from None
