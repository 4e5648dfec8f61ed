"""The frame store: clips in shards of bounded size, and an index that says where each one lies.

    frames/1234abcd-0123456789abcdef.npy   a shard: a record a clip, see `record_of`
    frames/index.parquet                   a row a clip, sorted by hash: hash, shard, offset (of its
                                           first pixel in the shard, bytes), and its small fields
    frames/spec.json                       the ClipSpec of every clip

Which clips share a shard follows from the hashes of the videos alone (`shards_of`), and a shard is
named by the spec and the hashes that it holds. So the bytes of a store do not depend on how it came
to be, one more video changes one shard, and a shard that is there is whole (see
`reelflow.base.files`). Shards are NumPy's own format and can be mapped:
`open_shard(path)["frames"]`. The SHA-256 of all its bytes stands at the end of a shard, where NumPy
does not look, so that a shard tells wherever it lies whether it was damaged; pages of the index
have checksums.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.base.files import replacing
from reelflow.base.parallel import worker_count
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.index_file import INDEX, read_index
from reelflow.store.pixel_statistics import channel_sums

if TYPE_CHECKING:
    import pandas as pd

SPEC = "spec.json"
# Large enough that a million clips of 16 frames of 64 x 64 make 20,000 files, which DVC handles,
# small enough that writing one anew for one more video is done in a tenth of a second.
SHARD_BYTES = 16 * 1024 * 1024

_DIGITS = 64  # of a SHA-256 in hexadecimal
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
    values: dict[str, Any] = {
        "hash": np.bytes_(video_hash),
        **{field.name: np.asarray(getattr(clip, field.name)) for field in fields(clip)},
        "channel_sums": sums,
        "channel_squares": squares,
        "brightness": np.float64(sums.sum() / clip.frames.size),
        "change": steps.mean(dtype=np.float64) if steps.size else np.float64(0.0),
    }
    record = np.empty(1, [(name, value.dtype, value.shape) for name, value in values.items()])
    for name, value in values.items():
        record[name] = value
    return record


def capacity(spec: ClipSpec) -> int:
    """The most clips that a shard holds; at least one, however large."""
    return max(1, SHARD_BYTES // math.prod(spec.stored_shape))


def shards_of(hashes: Sequence[str], spec: ClipSpec) -> dict[str, Sequence[str]]:
    """Deal clips to shards: the name of each shard and the videos in it, all in order.

    A trie over the bits of the hashes (extendible hashing, Fagin et al., TODS 1979): as long as
    more clips share a prefix than a shard may hold, they are parted by their next bit. So a shard
    depends on no video but its own, is on average two thirds full, and there is no moment at which
    all shards must be written anew.

    Args:
        hashes: SHA-256 in hexadecimal, sorted, each once.
        spec: of the clips.
    """
    return {
        _shard_name(members, spec): members
        for members in _parted(hashes, 0, len(hashes), 0, capacity(spec))
    }


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


def _shard_name(members: Sequence[str], spec: ClipSpec) -> str:
    digest = hashlib.sha256("".join(members).encode()).hexdigest()
    return f"{spec.id}-{digest[:16]}.npy"


def write_shard(path: Path, records: Records) -> None:
    """Write records atomically, and their hash. The same records give the same bytes."""
    header = BytesIO()
    # As `np.save` would, whose `tofile` does not say why nothing more could be written.
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(records))
    content = np.ascontiguousarray(records).view(np.uint8).data
    digest = hashlib.sha256(header.getvalue())
    digest.update(content)
    with replacing(path) as temporary, temporary.open("wb") as file:
        for part in (header.getvalue(), content, digest.digest()):
            file.write(part)


def refuse_damaged(path: Path) -> None:
    """Read a shard whole. Raises `DataError` unless it has the very bytes that were written."""
    try:
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise _not_a_shard(path, error) from None
    if hashlib.sha256(content[:-_PROOF]).digest() != content[-_PROOF:]:
        raise _not_a_shard(path, "its bytes are not those that were written")


def open_shard(path: Path) -> Shard:
    """Map the records of a shard; nothing is read before it is looked at.

    Raises:
        DataError: the file is missing, cut short or no shard.
    """
    try:
        shard: Shard = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _not_a_shard(path, error) from None
    if not {"hash", "frames"} <= set(shard.dtype.names or ()):
        raise _not_a_shard(path, "it has other fields")
    return shard


def index_rows(path: Path) -> pa.Table:
    """The rows of the index that tell of one shard."""
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


def _not_a_shard(path: Path, error: Exception | str) -> DataError:
    return DataError(
        f"{path} is not a readable shard of frames ({error}). Delete it and run the stage "
        "`extract` again: it is made anew from its videos."
    )


class FrameStore:
    """Read access to a finished store, for any number of threads and processes.

    A clip is read into memory that the caller has, in one call and with no copy between, so that
    the memory that a reader takes does not grow with what it has read. What is held is the place
    of each clip: about 100 bytes.

    Attributes:
        root: the folder.
        spec: the `ClipSpec` of every clip.
        id: that of the spec when the clips were made, by what decoded then.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            spec = json.loads((root / SPEC).read_text(encoding="utf-8"))
            columns = ["hash", "shard", "offset"]
            index = read_index(root / INDEX, columns=columns, read_dictionary=["shard"])
        except FileNotFoundError as error:
            raise DataError(
                f"{error.filename or root / INDEX} is missing: run the stage `extract` first."
            ) from None
        self.id = str(spec.pop("id", ""))
        self.spec = ClipSpec(**spec)
        self._hashes = np.asarray(index["hash"].to_numpy(zero_copy_only=False), f"S{_DIGITS}")
        shards = index["shard"].combine_chunks()
        self._shards: list[str] = shards.dictionary.to_pylist()
        self._shard = shards.indices.to_numpy()
        self._offset = index["offset"].to_numpy()

    def __len__(self) -> int:
        """Clips."""
        return len(self._hashes)

    @cached_property
    def index(self) -> pd.DataFrame:
        """Every column of the index, indexed by `hash`."""
        table: pd.DataFrame = read_index(self.root / INDEX).to_pandas()
        return table.set_index("hash", drop=False)

    def places(self, hashes: Sequence[str]) -> NDArray[np.int64]:
        """Where the clips of these videos stand in the store, for `read`.

        Raises:
            DataError: a video has no clip.
        """
        wanted = np.asarray(hashes, f"S{_DIGITS}")
        places = np.searchsorted(self._hashes, wanted)
        found = places < len(self)
        found[found] = self._hashes[places[found]] == wanted[found]
        if not found.all():
            absent = hashes[int(np.argmin(found))]
            raise DataError(
                f"No frames of video {absent[:12]} in {self.root}: run the stage `extract`."
            )
        return places.astype(np.int64)

    def read(self, place: int, into: NDArray[np.uint8]) -> None:
        """Read the frames of one clip.

        Args:
            place: as told by `places`.
            into: uint8, contiguous, of `spec.stored_shape`.

        Raises:
            DataError: the shard is missing or cut short.
        """
        path = self.root / self._shards[self._shard[place]]
        room = into.reshape(-1).data
        offset = int(self._offset[place])
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise _not_a_shard(path, error) from None
        try:
            while room:
                got = os.preadv(file, [room], offset)
                if not got:
                    raise _not_a_shard(path, "it is cut short")
                room, offset = room[got:], offset + got
        finally:
            os.close(file)

    def damaged(self) -> list[str]:
        """The names of the shards that do not have the bytes that were written, or are gone; all
        are read whole, in threads, a GB a second each."""

        def is_damaged(name: str) -> bool:
            try:
                refuse_damaged(self.root / name)
            except DataError:
                return True
            return False

        with ThreadPoolExecutor(worker_count(0)) as pool:
            found = pool.map(is_damaged, self._shards)
            return [name for name, damaged in zip(self._shards, found, strict=True) if damaged]

    def frames(self, video_hash: str) -> NDArray[np.uint8]:
        """The frames of one video, uint8 RGB of `spec.stored_shape`. Raises `DataError` as `read`
        does, and if the video has none."""
        frames = np.empty(self.spec.stored_shape, np.uint8)
        self.read(int(self.places([video_hash])[0]), frames)
        return frames
