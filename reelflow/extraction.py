"""Filling a frame store from videos, in parallel.

Clips are written by the processes that decode them, so no frame crosses a process border; as soon
as the last clip of a shard is there, the shard is written (see `reelflow.store`). Videos are taken
shard by shard, so that few clips wait. Memory does not grow with the number of videos but for
their hashes: what else the manifest tells of a video is read when its turn comes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reelflow.errors import DataError, VideoError
from reelflow.files import link_or_copy, replacing, write_json
from reelflow.parallel import ProcessDiedError, each, worker_count
from reelflow.progress import track
from reelflow.store import INDEX, SPEC, index_rows, record_of, shards_of, write_shard
from reelflow.unitcache import UnitCache, clip_path
from reelflow.video.check import VideoInfo
from reelflow.video.clip import ClipSpec
from reelflow.video.ffmpeg import Bounds
from reelflow.video.read import TOGETHER, read_clips

log = logging.getLogger(__name__)

Shards = Mapping[str, Sequence[str]]
Row = dict[str, Any]

_INFO_FIELDS = tuple(VideoInfo.__dataclass_fields__)
# Rows of the manifest in memory at once: the times of their frames are the larger part.
_ROWS = 1024
# Videos for which the manifest is gone through once.
_VIDEOS = 16 * _ROWS


def wanted_shards(manifest: Path, spec: ClipSpec) -> Shards:
    """The shards that the store of a manifest consists of, and the videos in each."""
    hashes = pq.read_table(manifest, columns=["hash"])["hash"].to_pylist()
    return shards_of(sorted(hashes), spec)


def extract_missing(
    manifest: Path,
    raw: Path,
    shards: Shards,
    cache: UnitCache,
    spec: ClipSpec,
    bounds: Bounds,
    workers: int,
) -> int:
    """Decode the videos that have no clip yet, and complete the shards; return how many there were.

    Args:
        manifest: parquet file as `reelflow.catalogue` makes it.
        raw: folder that the paths of the manifest are relative to.
        shards: as `wanted_shards` tells.
        cache: where shards are made and kept.
        spec: the clip of every video.
        bounds: limits of each decoder.
        workers: processes at once, 0 for one a core.

    Raises:
        DataError: videos that were usable when they were checked could not be decoded; the others
            were, and are kept.
    """
    spare = cache.spare(shards)
    waiting: dict[str, set[str]] = {}
    for name, members in shards.items():
        if cache.has(name):
            continue
        waiting[name] = {video for video in members if video not in spare}
        if not waiting[name]:
            cache.assemble(name, members, spare)
    shard_of = {video: name for name, videos in waiting.items() for video in videos}
    if not shard_of:
        return 0
    work = partial(_extract, raw, cache.folder, spec, bounds)
    rows = _rows(manifest, sorted(shard_of))
    # So many at once that no process stands idle.
    together = max(1, min(TOGETHER, len(shard_of) // worker_count(workers)))
    answers = _answers(work, rows, workers, together)
    failed = []
    for row, answer in track(answers, len(shard_of), "extracting frames"):
        if answer:
            failed.append(answer)
        else:
            name = shard_of[row["hash"]]
            waiting[name].remove(row["hash"])
            if not waiting[name]:
                cache.assemble(name, shards[name], spare)
    if failed:
        raise DataError(
            f"{len(failed)} of {len(shard_of)} videos could not be decoded: "
            f"{' '.join(failed[:3])} The frames of the others are kept. Mend or remove these and "
            "run again."
        )
    return len(shard_of)


def finish_store(shards: Shards, cache: UnitCache, store: Path, spec: ClipSpec) -> pa.Table:
    """Make the store of shards that are all in the cache: link them, write the index and the spec,
    remove what else is there; return the index."""
    for name in shards:
        if not _same(cache.path(name), store / name):
            link_or_copy(cache.path(name), store / name)
    index = _index(shards, cache)
    with replacing(store / INDEX) as temporary:
        # Hashes do not repeat, and times are no numbers that dictionaries could shorten.
        # Arrow's own schema would tell which rows were read from a file before.
        pq.write_table(
            index, temporary, compression="zstd", use_dictionary=["shard"], store_schema=False
        )
    cache.keep_index(store / INDEX)
    write_json(store / SPEC, spec.to_dict())
    for path in store.iterdir():
        if path.name not in shards and path.name not in (INDEX, SPEC):
            path.unlink()
    cache.sweep(shards)
    return index


def _same(path: Path, other: Path) -> bool:
    return other.exists() and path.samefile(other)


def _index(shards: Shards, cache: UnitCache) -> pa.Table:
    """The rows of all shards by hash. Those of shards that were there are taken as they were: a
    shard never changes."""
    tables = []
    known: set[str] = set()
    former = cache.index()
    if former is not None:
        former = former.filter(pc.is_in(former["shard"], pa.array(shards.keys(), pa.string())))
        known = set(former["shard"].unique().to_pylist())
        tables.append(former)
    tables += [index_rows(cache.path(name)) for name in shards if name not in known]
    # In one chunk: how rows are cut into chunks would show in the bytes of the file.
    return pa.concat_tables(tables).sort_by("hash").combine_chunks()


def _rows(manifest: Path, hashes: Sequence[str]) -> Iterator[Row]:
    """What the manifest tells of these videos, in this order."""
    columns = [*_INFO_FIELDS, "path"]
    for start in range(0, len(hashes), _VIDEOS):
        some = hashes[start : start + _VIDEOS]
        wanted = pa.array(some)
        found: dict[str, dict[str, Any]] = {}
        with pq.ParquetFile(manifest) as file:
            for batch in file.iter_batches(_ROWS, columns=columns):
                table = pa.table(batch).filter(pc.is_in(batch["hash"], wanted))
                times = table["pts"].combine_chunks()
                rows = table.drop(["pts"]).to_pylist()
                for at, row in enumerate(rows):
                    found[row["hash"]] = {**row, "pts": times[at].values.to_numpy()}
        yield from (found[video] for video in some)


def _extract(
    raw: Path, kept: Path, spec: ClipSpec, bounds: Bounds, rows: list[Row]
) -> list[str | None]:
    """Decode some videos and write their clips; return what went wrong with each, if anything."""
    infos = [VideoInfo(**{name: row[name] for name in _INFO_FIELDS}) for row in rows]
    videos = [(raw / row["path"], info) for row, info in zip(rows, infos, strict=True)]
    answers: list[str | None] = []
    for info, clip in zip(infos, read_clips(videos, spec, bounds), strict=True):
        if isinstance(clip, VideoError):
            answers.append(str(clip))
        else:
            write_shard(clip_path(kept, spec, info.hash), record_of(info.hash, clip))
            answers.append(None)
    return answers


def _answers(
    work: Callable[[list[Row]], list[str | None]],
    rows: Iterator[Row],
    workers: int,
    together: int,
) -> Iterator[tuple[Row, str | None]]:
    """What `work` answers for each row. Rows whose process died are asked for one by one."""
    lost: list[Row] = []
    for some, answer in each(work, _packed(rows, together), workers):
        if isinstance(answer, ProcessDiedError):
            lost += some
        else:
            yield from zip(some, answer, strict=True)
    for (row,), answer in each(work, ([row] for row in lost), workers):
        if isinstance(answer, ProcessDiedError):
            yield row, f"{row['path']}: decoding it killed the process."
        else:
            yield row, answer[0]


def _packed(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while some := list(islice(rows, size)):
        yield some
