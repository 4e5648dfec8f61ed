"""Filling a frame store from videos, in parallel.

A shard is written as soon as its last clip is there (see `reelflow.store.shards`). Videos are taken
shard by shard, so that few clips wait. Of all videos only the hashes are in memory; the rest of a
row of the manifest is read when its turn comes.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reelflow.base.errors import DataError, VideoError
from reelflow.base.files import link_or_copy, write_json
from reelflow.base.progress import track
from reelflow.extraction.decoded_cache import DecodedCache
from reelflow.extraction.engines import Engine, videos_of
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.frame_store import SPEC
from reelflow.store.index_file import INDEX, write_index
from reelflow.store.shards import index_rows, shards_of

Shards = Mapping[str, Sequence[str]]


# Codes that are no fault of the video: a second run can mend them.
_PASSING = ("changed", "killed", "missing", "permission", "unreadable", "not_a_file", "empty")
# Share of the videos that may fail, the default of ingest.max_quarantined_share. If more fail,
# something other than the videos is wrong.
_MOST_ASIDE = 0.25


def wanted_shards(manifest: Path, spec: ClipSpec, aside: Collection[str] = ()) -> Shards:
    """The shards of the store of a manifest, without the videos set aside, and the videos in each.

    Raises:
        DataError: there is no manifest.
    """
    if not manifest.exists():
        raise DataError(f"{manifest} is missing: run the stage `ingest` first.")
    hashes = pq.read_table(manifest, columns=["hash"])["hash"].to_pylist()
    return shards_of(sorted(set(hashes).difference(aside)), spec)


def extract_missing(
    manifest: Path,
    shards: Shards,
    cache: DecodedCache,
    engine: Engine,
    aside: dict[str, VideoError],
) -> int:
    """Decode the videos that have no clip yet, and complete the shards; return how many there were.

    Args:
        manifest: parquet file as `reelflow.dataset.catalogue` makes it.
        shards: of `wanted_shards`.
        cache: where shards are made and kept.
        engine: what decodes, see `reelflow.extraction.engines`.
        aside: gets, by hash, the videos that were usable when they were checked but give no clip.
            Their shards are not made; call this again with the shards of the others.

    Raises:
        DataError: some videos are not those that were checked, or too many give no clip. The others
            were decoded, and are kept.
    """
    spare = cache.spare(shards)
    waiting: dict[str, set[str]] = {}
    for name, members in shards.items():
        if cache.has(name):
            continue
        waiting[name] = {
            video for video in members if video not in spare or not cache.is_whole(spare[video])
        }
        if not waiting[name]:
            cache.assemble(name, members, spare)
    shard_of = {video: name for name, videos in waiting.items() for video in videos}
    if not shard_of:
        return 0
    failed: dict[str, VideoError] = {}
    answers = engine(videos_of(manifest, sorted(shard_of)))
    for (path, info), wrong in track(answers, len(shard_of), "extracting frames"):
        if wrong:
            failed[info.hash] = VideoError(path, wrong.code, wrong.reason, wrong.remedy)
            continue
        name = shard_of[info.hash]
        waiting[name].remove(info.hash)
        if not waiting[name]:
            cache.assemble(name, shards[name], spare)
    total = sum(map(len, shards.values()))
    stopping = [wrong for wrong in failed.values() if wrong.code in _PASSING]
    if not stopping and len(failed) > _MOST_ASIDE * total:
        stopping = list(failed.values())
    if stopping:
        raise DataError(
            f"{len(stopping)} of {total} videos could not be decoded: "
            f"{' '.join(map(str, stopping[:3]))} The frames of the others are kept. Mend or remove "
            "these and run again."
        )
    aside |= failed
    return len(shard_of) - len(failed)


def finish_store(shards: Shards, cache: DecodedCache, store: Path, spec: ClipSpec) -> pa.Table:
    """Make the store of shards that are all in the cache: link them, write the index and the spec,
    remove what else is there; return the index."""
    for name in shards:
        kept, linked = cache.folder / name, store / name
        if not linked.exists() or not linked.samefile(kept):
            link_or_copy(kept, linked)
    index = _index(shards, cache)
    write_index(store / INDEX, index)
    link_or_copy(store / INDEX, cache.folder / INDEX)
    write_json(store / SPEC, {**spec.to_dict(), "id": spec.id})
    for path in store.iterdir():
        if path.name not in shards and path.name not in (INDEX, SPEC):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    cache.sweep(shards)
    return index


def _index(shards: Shards, cache: DecodedCache) -> pa.Table:
    """The rows of all shards by hash. Rows of shards in the former index are copied: a shard never
    changes."""
    tables = []
    known: set[str] = set()
    former = cache.index()
    if former is not None:
        former = former.filter(pc.is_in(former["shard"], pa.array(shards.keys(), pa.string())))
        known = set(former["shard"].unique().to_pylist())
        tables.append(former)
    tables += [index_rows(cache.folder / name) for name in shards if name not in known]
    # In one chunk: the chunks of a table show in the bytes of the file.
    return pa.concat_tables(tables).sort_by("hash").combine_chunks()
