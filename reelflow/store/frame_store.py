"""The frame store: clips in shards of bounded size, and an index that says where each one lies.

frames/1234abcd-0123456789abcdef.npy   a shard: a record a clip, see `reelflow.store.shards`
frames/index.parquet                   a row a clip, sorted by hash: hash, shard, offset (of its
                                       first pixel in the shard, bytes), and its small fields
frames/spec.json                       the ClipSpec of every clip
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reelflow.base.errors import DataError
from reelflow.base.parallel import each
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.crops_and_segments import shown
from reelflow.store.index_file import INDEX, read_index
from reelflow.store.shards import is_whole, not_a_shard

if TYPE_CHECKING:
    import pandas as pd

SPEC = "spec.json"
_DIGITS = 64  # of a SHA-256 in hexadecimal


class FrameStore:
    """Read access to a finished store, for any number of threads and processes.

    A clip is read into memory of the caller, in one call and without a copy, so a reader takes no
    more memory the more it reads. It holds the place of each clip: about 100 bytes.

    Attributes:
        root: the folder.
        spec: the `ClipSpec` of every clip.
        id: that of the spec when the clips were made, with the decoders of then.
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
            place: of `places`.
            into: uint8, contiguous, of `spec.stored_shape`.

        Raises:
            DataError: the shard is missing or cut short.
        """
        path = self.root / self._shards[self._shard[place]]
        room = into.reshape(-1).data
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(int(self._offset[place]))
                while room and (got := file.readinto(room)):
                    room = room[got:]
        except OSError as error:
            raise not_a_shard(path, error) from None
        if room:
            raise not_a_shard(path, "it is cut short")

    def damaged(self) -> list[str]:
        """The names of shards that are missing or do not have the bytes that were written. It reads
        all of them whole, in threads, a GB a second each."""
        found = each(lambda name: is_whole(self.root / name), self._shards, 0)
        return sorted(name for name, whole in found if not whole)

    def frames(self, video_hash: str) -> NDArray[np.uint8]:
        """The frames of one video, uint8 RGB of `spec.stored_shape`. Raises `DataError` as `read`
        does, and if the video has none."""
        frames = np.empty(self.spec.stored_shape, np.uint8)
        self.read(int(self.places([video_hash])[0]), frames)
        return frames

    def shown(self, video_hash: str) -> Clip:
        """What a person is shown of a video, see `crops_and_segments.shown`. Raises as `frames`."""
        times = np.asarray(self.index.at[video_hash, "timestamps"])
        return shown(Clip(self.frames(video_hash), times), self.spec)
