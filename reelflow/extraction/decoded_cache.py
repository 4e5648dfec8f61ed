"""What this machine keeps of decoded frames, so that nothing is decoded twice.

    .reelflow/frames/1234abcd-0123456789abcdef.npy   shards, as in the frame store
    .reelflow/frames/clips/…                         clips whose shard is not complete yet
    .reelflow/frames/index.parquet                   the index of the store as it was last made

DVC removes the outputs of a stage before it runs. If an output persists, DVC copies each file that
is a hard link, and these are. So frames are made here and linked into the output, and a clip is on
the disk once. This folder is a memory, not an output: anybody may delete it at any time, which
costs a decode of what DVC's cache does not have.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path

import numpy as np
import pyarrow as pa

from reelflow.base.errors import DataError
from reelflow.base.files import link_or_copy, remove_left_over
from reelflow.store import shards
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.index_file import INDEX, read_index
from reelflow.store.shards import open_shard, write_shard
from reelflow.video.file_changed import stamp_of

log = logging.getLogger(__name__)

_CLIPS = "clips"


class DecodedCache:
    """Clips and shards of one spec.

    Args:
        folder: where they are kept.
        spec: of the clips.
        elsewhere: further files of a frame store by name, wherever they lie: the store itself and
            DVC's cache. What is needed of them is linked into the folder.
    """

    def __init__(
        self, folder: Path, spec: ClipSpec, elsewhere: Mapping[str, Path] | None = None
    ) -> None:
        self.folder = folder
        self._spec = spec
        self._prefix = f"{spec.id}-"
        self._elsewhere = dict(elsewhere or {})
        self._whole: dict[tuple[Path, str], bool] = {}
        (folder / _CLIPS).mkdir(parents=True, exist_ok=True)
        self._proven, self._proven_at = _last_store(folder / INDEX)

    def has(self, name: str) -> bool:
        """Whether a shard is kept whole; links it in if it lies elsewhere. It does not read a shard
        again that nobody wrote to since a store was made of it: `validate` reads them all."""
        path, other = self.folder / name, self._elsewhere.get(name)
        if path.exists():
            proven = name in self._proven and path.stat().st_mtime_ns < self._proven_at
            if proven or self.is_whole(path):
                return True
        if other is None or not other.exists() or not self.is_whole(other):
            return False
        link_or_copy(other, path)
        return True

    def is_whole(self, path: Path) -> bool:
        """Whether a file of clips has the bytes that were written; each is read once."""
        known = path, stamp_of(path)
        if known not in self._whole:
            self._whole[known] = shards.is_whole(path)
            if not self._whole[known]:
                log.warning("%s is damaged: its clips are made anew", path)
        return self._whole[known]

    def index(self) -> pa.Table | None:
        """The index of the store as it was last made, if it is known."""
        here = self.folder / INDEX
        for path in (here, self._elsewhere.get(INDEX, here)):
            try:
                return read_index(path)
            except FileNotFoundError:
                continue
            except DataError as error:
                log.warning("%s", error)
        return None

    def spare(self, wanted: Iterable[str]) -> dict[str, Path]:
        """Clips outside of the wanted shards: the hash of each, and the file that holds it."""
        here = {path.name: path for path in self.folder.glob("*.npy")}
        known = {**self._elsewhere, **here}
        clips: dict[str, Path] = {}
        for name in known.keys() - set(wanted):
            if name.startswith(self._prefix):
                clips.update(dict.fromkeys(_hashes(known[name]), known[name]))
        for path in self.folder.glob(f"{_CLIPS}/{self._prefix}*.npy"):
            clips[path.stem.removeprefix(self._prefix)] = path
        return clips

    def assemble(self, name: str, members: Sequence[str], spare: Mapping[str, Path]) -> None:
        """Write a shard of these videos, in order, from clips in the folder or spare ones."""
        own = {video: clip_path(self.folder, self._spec, video) for video in members}
        records = []
        for video, path in own.items():
            shard = open_shard(path if path.exists() else spare[video])
            records.append(shard[np.flatnonzero(shard["hash"] == video.encode())[:1]])
        write_shard(self.folder / name, np.concatenate(records))
        for path in own.values():
            path.unlink(missing_ok=True)

    def sweep(self, wanted: Mapping[str, Iterable[str]]) -> None:
        """Remove shards whose every clip is in a wanted one, and what a kill left half written.

        Clips of videos that are gone, or of another spec, stay until `reelflow gc`.
        """
        held = {video for members in wanted.values() for video in members}
        for path in self.folder.glob(f"{self._prefix}*.npy"):
            if path.name not in wanted and held.issuperset(_hashes(path)):
                path.unlink()
                log.debug("removed %s", path)
        remove_left_over(self.folder, below=True)


def unreferenced(
    folder: Path, kept: Set[str], spec: ClipSpec, videos: Set[str]
) -> Iterator[tuple[Path, str]]:
    """Files of the folder that no store refers to, and why each is not wanted.

    Args:
        folder: where clips and shards are kept.
        kept: names of the shards that a store refers to.
        spec: of the clips that are made now; clips of another spec are wanted in kept shards alone.
        videos: hashes of the videos whose clips of this spec are wanted in any case.
    """
    found = [*folder.glob("*.npy"), *folder.glob(f"{_CLIPS}/*.npy")]
    own = [path for path in found if path.name.startswith(f"{spec.id}-")]
    held = {video for path in own if path.name in kept for video in _hashes(path)}
    for path in found:
        if path.name in kept:
            continue
        if path not in own:
            yield path, "of other settings"
        elif not videos & set(_hashes(path)) - held:
            yield path, "replaced, or of videos that are gone"


def clip_path(folder: Path, spec: ClipSpec, video_hash: str) -> Path:
    """Where a clip lies in the folder until its shard is complete."""
    return folder / _CLIPS / f"{spec.id}-{video_hash}.npy"


def _last_store(index: Path) -> tuple[set[str], int]:
    """The shards of the store that was last made, and when it had found all of them whole."""
    try:
        names = read_index(index, columns=["shard"], read_dictionary=["shard"])["shard"]
    except (FileNotFoundError, DataError):
        return set(), 0
    return set(names.unique().to_pylist()), index.stat().st_mtime_ns


def _hashes(path: Path) -> list[str]:
    """The videos of a shard; none if it cannot be read, so that they are decoded again."""
    try:
        return [digest.decode() for digest in open_shard(path)["hash"].tolist()]
    except DataError as error:
        log.warning("%s", error)
        return []
