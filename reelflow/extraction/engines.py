"""Decoding the videos of a manifest into clips, many at once: what an engine is, and the local one.

An engine is handed videos and yields each, in any order, when its clip lies in the frame cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow.compute as pc
import pyarrow.parquet as pq

from reelflow.base.errors import VideoError
from reelflow.base.parallel import each
from reelflow.extraction.decoded_cache import clip_path
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.shards import Records, record_of, write_shard
from reelflow.video.check_by_decoding import VideoInfo
from reelflow.video.file_changed import refuse_changed, stamp_of
from reelflow.video.process_limits import Bounds

Result = TypeVar("Result")
# The path of a video, relative to the raw folder, and what `check_video` found.
Video = tuple[str, VideoInfo]
# Yields the videos that it gets, each with what went wrong with it, if anything.
Engine = Callable[[Iterable[Video]], Iterator[tuple[Video, VideoError | None]]]

_INFO_FIELDS = tuple(VideoInfo.__dataclass_fields__)
# Videos for which the manifest is read once; the times of their frames are in memory.
_VIDEOS = 1 << 14


def local_engine(raw: Path, kept: Path, spec: ClipSpec, bounds: Bounds, workers: int) -> Engine:
    """Threads of this machine, each with decoders of its own.

    Args:
        raw: folder that the paths of the videos are relative to.
        kept: folder of the frame cache.
        spec: the clip of every video.
        bounds: limits of each decoder.
        workers: videos at once, 0 for one a core.
    """

    def work(video: Video) -> None:
        record = record_for(raw, spec, bounds, video)
        write_shard(clip_path(kept, spec, video[1].hash), record)

    return partial(each, partial(or_error, work), workers=workers)


def or_error(work: Callable[[Video], Result], video: Video) -> Result | VideoError:
    """What `work` returns for a video, or the `VideoError` that it raises."""
    try:
        return work(video)
    except VideoError as error:
        return error


def record_for(raw: Path, spec: ClipSpec, bounds: Bounds, video: Video) -> Records:
    """The record of a video as the frame store has it. Raises `VideoError` as `clip_of`."""
    return record_of(video[1].hash, clip_of(raw, spec, bounds, video, among_many=True))


def clip_of(
    raw: Path, spec: ClipSpec, bounds: Bounds, video: Video, *, among_many: bool = False
) -> Clip:
    """The clip of a video, from the very bytes that the manifest names; `among_many` as for
    `read_clip`.

    Raises:
        VideoError: as `read_clip` and `refuse_changed`; `unsteady` if other frames come out of the
            same bytes.
    """
    path, info = raw / video[0], video[1]
    stamp = stamp_of(path)
    try:
        clip = read_clip(path, spec, bounds, info=info, among_many=among_many)
    except VideoError as error:
        refuse_changed(path, info.hash, stamp)
        if error.code != "changed":
            raise
        reason = "Other frames come out of it than when it was checked, though its bytes are equal."
        remedy = "Encode the video again with another program, or leave it out."
        raise VideoError(str(path), "unsteady", reason, remedy) from None
    refuse_changed(path, info.hash, stamp)
    return clip


def videos_of(manifest: Path, hashes: Sequence[str]) -> Iterator[Video]:
    """The rows of these videos in the manifest, in this order."""
    columns = [*_INFO_FIELDS, "path"]
    for start in range(0, len(hashes), _VIDEOS):
        some = hashes[start : start + _VIDEOS]
        rows = pq.read_table(manifest, columns=columns, filters=pc.field("hash").isin(some))
        facts = rows.drop_columns(["pts"]).to_pylist()
        found: dict[str, Video] = {}
        for times, row in zip(rows["pts"], facts, strict=True):
            path = row.pop("path")
            found[row["hash"]] = path, VideoInfo(**row, pts=times.values.to_numpy())
        yield from (found[video] for video in some)
