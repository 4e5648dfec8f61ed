"""Shards of clips: how large one is, which clips share one, and its file format.

A shard is a record a clip in NumPy's own format and can be mapped: `open_shard(path)["frames"]`.
The SHA-256 of all its bytes stands at its end, which NumPy does not read, so a shard shows damage
wherever it lies. The hashes of the videos alone decide which clips share a shard (`shards_of`), and
a shard is named by the spec and the hashes that it holds. So the bytes of a store do not depend on
its history, one more video changes one shard, and a shard that is there is whole (see
`reelflow.base.files`).
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.base.files import replacing
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.pixel_statistics import channel_sums

# Large enough that a million clips of 16 frames of 64 x 64 make 20,000 files, which DVC handles.
# Small enough that one more video takes a tenth of a second: it writes one shard anew.
SHARD_BYTES = 16 * 1024 * 1024

_PROOF = 32  # bytes of it
Records = NDArray[np.void]
Shard = np.memmap[Any, np.dtype[np.void]]


def record_of(video_hash: str, clip: Clip) -> Records:
    """A clip as it is stored: one record of `hash`, the fields of `Clip`, and what it looks like.

    `brightness` is the mean of all pixels, `change` the mean absolute difference of neighbouring
    frames, 0 to 255; `channel_sums` and `channel_squares` are what `pixel_statistics` needs.
    """
    # Crop by crop: neighbours in time are neighbours within a crop.
    crops = clip.frames.reshape(-1, len(clip.timestamps), *clip.frames.shape[1:])
    steps = np.abs(np.diff(crops.astype(np.int16), axis=1))
    sums, squares = channel_sums(clip.frames)
    return as_record(
        {
            "hash": np.bytes_(video_hash),
            "frames": clip.frames,
            "timestamps": clip.timestamps,
            "channel_sums": sums,
            "channel_squares": squares,
            "brightness": np.float64(sums.sum() / clip.frames.size),
            "change": steps.mean(dtype=np.float64) if steps.size else np.float64(0.0),
        }
    )


def as_record(values: Mapping[str, Any]) -> Records:
    """One record of these arrays, a field each."""
    record = np.empty(1, [(name, value.dtype, value.shape) for name, value in values.items()])
    for name, value in values.items():
        record[name] = value
    return record


def shards_of(hashes: Sequence[str], spec: ClipSpec) -> dict[str, Sequence[str]]:
    """Deal clips to shards: the name of each shard and the videos in it, all in order.

    A trie over the bits of the hashes (extendible hashing, Fagin et al., TODS 1979): if more clips
    share a prefix than a shard may hold, their next bit parts them. So a shard depends on its own
    videos alone and is two thirds full on average, and no change writes all shards anew.

    Args:
        hashes: SHA-256 in hexadecimal, sorted, each once.
        spec: of the clips.
    """
    named: dict[str, Sequence[str]] = {}
    most = max(1, SHARD_BYTES // math.prod(spec.stored_shape))
    for members in _parted(hashes, 0, len(hashes), 0, most):
        digest = hashlib.sha256("".join(members).encode()).hexdigest()
        named[f"{spec.id}-{digest[:16]}.npy"] = members
    return named


def _parted(
    hashes: Sequence[str], low: int, high: int, depth: int, most: int
) -> Iterator[Sequence[str]]:
    if high - low <= most:
        if high > low:
            yield hashes[low:high]
        return

    def bit(video_hash: str) -> int:
        return int(video_hash[depth // 4], 16) >> (3 - depth % 4) & 1

    middle = bisect_left(hashes, 1, low, high, key=bit)
    yield from _parted(hashes, low, middle, depth + 1, most)
    yield from _parted(hashes, middle, high, depth + 1, most)


def write_shard(path: Path, records: Records) -> None:
    """Write records atomically, and their hash. The same records give the same bytes."""
    header = BytesIO()
    # Not `np.save`: its `tofile` does not report why it could write no more.
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(records))
    content = np.ascontiguousarray(records).view(np.uint8).data
    digest = hashlib.sha256(header.getvalue())
    digest.update(content)
    with replacing(path) as temporary, temporary.open("wb") as file:
        for part in (header.getvalue(), content, digest.digest()):
            file.write(part)


def is_whole(path: Path) -> bool:
    """Read a shard; whether it has the very bytes that were written."""
    try:
        content = memoryview(path.read_bytes())
    except OSError:
        return False
    return hashlib.sha256(content[:-_PROOF]).digest() == content[-_PROOF:]


def open_shard(path: Path) -> Shard:
    """Map the records of a shard; nothing is read before it is looked at.

    Raises:
        DataError: the file is missing, cut short or no shard.
    """
    try:
        shard: Shard = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise not_a_shard(path, error) from None
    if not {"hash", "frames"} <= set(shard.dtype.names or ()):
        raise not_a_shard(path, "it has other fields")
    return shard


def index_rows(path: Path) -> pa.Table:
    """The rows of the index for one shard."""
    shard = open_shard(path)
    assert shard.dtype.fields is not None
    first = shard.offset + shard.dtype.fields["frames"][1]
    columns: dict[str, Any] = {
        "hash": [digest.decode() for digest in shard["hash"].tolist()],
        "shard": [path.name] * len(shard),
        "offset": first + np.arange(len(shard), dtype=np.int64) * shard.dtype.itemsize,
    }
    for name in shard.dtype.names or ():
        if name not in ("hash", "frames"):
            columns[name] = shard[name].tolist()
    return pa.table(columns)


def not_a_shard(path: Path, error: Exception | str) -> DataError:
    """What is wrong with a file that cannot be read as a shard."""
    return DataError(
        f"{path} is not a readable shard of frames ({error}). Delete it and run the stage "
        "`extract` again: it is made anew from its videos."
    )
