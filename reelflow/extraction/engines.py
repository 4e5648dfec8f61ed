"""Decoding the videos of a manifest into clips, many at once: what an engine is, and the local one.

An engine is handed bundles of videos and yields each bundle with its answers, in any order, when
the clips of the bundle lie in the frame cache. Short videos go together, because one process that
stays decodes them (see `reelflow.extraction.read_clips`). Long ones go alone, so that a kill costs
one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from reelflow.base.errors import VideoError
from reelflow.base.parallel import each, worker_count
from reelflow.extraction.decoded_cache import clip_path
from reelflow.extraction.read_clips import is_short, read_clips
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.shards import Records, record_of, write_shard
from reelflow.video.check import VideoInfo
from reelflow.video.content_hash import refuse_changed, stamp_of
from reelflow.video.process_limits import Bounds

# The path of a video, relative to the raw folder, and what `check_video` found.
Video = tuple[str, VideoInfo]
Bundle = Sequence[Video]
# What went wrong with each video of a bundle, if anything.
Answers = Sequence[VideoError | None]

_INFO_FIELDS = tuple(VideoInfo.__dataclass_fields__)
# Short videos in a bundle, so that handing them out takes no time.
TOGETHER = 8
# Videos for which the manifest is read once; the times of their frames are in memory.
_VIDEOS = 1 << 14


@dataclass(frozen=True)
class Engine:
    """What decodes.

    Attributes:
        run: yields the bundles that it gets with their answers, in any order.
        workers: bundles that it has in hand at once.
    """

    run: Callable[[Iterable[Bundle]], Iterator[tuple[Bundle, Answers]]]
    workers: int


def local_engine(raw: Path, kept: Path, spec: ClipSpec, bounds: Bounds, workers: int) -> Engine:
    """Threads of this machine, each with decoders of its own.

    Args:
        raw: folder that the paths of the videos are relative to.
        kept: folder of the frame cache.
        spec: the clip of every video.
        bounds: limits of each decoder.
        workers: videos at once, 0 for one a core.
    """
    work = partial(_write, raw, kept, spec, bounds)
    return Engine(partial(each, work, workers=workers), worker_count(workers))


def decoded(
    manifest: Path, hashes: Sequence[str], spec: ClipSpec, engine: Engine
) -> Iterator[tuple[Video, VideoError | None]]:
    """Let an engine decode these videos; yield each with what went wrong, in any order."""
    # So many together that no worker stands idle.
    together = max(1, min(TOGETHER, len(hashes) // engine.workers))
    bundles = _bundles(videos_of(manifest, hashes), spec, together)
    for bundle, answers in engine.run(bundles):
        yield from zip(bundle, answers, strict=True)


def decode_bundle(
    raw: Path, spec: ClipSpec, bounds: Bounds, bundle: Bundle
) -> list[Records | VideoError]:
    """The record of each video of a bundle as the frame store has it, or what is wrong with it."""
    return [
        clip if isinstance(clip, VideoError) else record_of(info.hash, clip)
        for clip, (_, info) in zip(clips_of(raw, spec, bounds, bundle), bundle, strict=True)
    ]


def clips_of(raw: Path, spec: ClipSpec, bounds: Bounds, bundle: Bundle) -> list[Clip | VideoError]:
    """The clip of each video of a bundle, or what is wrong with it. Only the very bytes that the
    manifest names give a clip."""
    videos = [(raw / path, info) for path, info in bundle]
    stamps = [stamp_of(path) for path, _ in videos]
    clips = read_clips(videos, spec, bounds)
    return [
        _proven(clip, path, info, stamp)
        for clip, (path, info), stamp in zip(clips, videos, stamps, strict=True)
    ]


def _proven(clip: Clip | VideoError, path: Path, info: VideoInfo, stamp: str) -> Clip | VideoError:
    try:
        refuse_changed(path, info.hash, stamp)
    except VideoError as error:
        return error
    if not isinstance(clip, VideoError):
        return clip
    # The file has not changed, or `refuse_changed` had raised.
    if clip.code != "changed":
        return clip
    reason = "Other frames come out of it than when it was checked, though it has the same bytes."
    remedy = "Encode the video again with another program, or leave it out."
    return VideoError(str(path), "unsteady", reason, remedy)


def keep_clips(
    kept: Path, spec: ClipSpec, bundle: Bundle, records: Iterable[Records | VideoError]
) -> list[VideoError | None]:
    """Write the clips of a bundle into the frame cache; return what went wrong with each."""
    answers: list[VideoError | None] = []
    for (_, info), record in zip(bundle, records, strict=True):
        if isinstance(record, VideoError):
            answers.append(record)
        else:
            write_shard(clip_path(kept, spec, info.hash), record)
            answers.append(None)
    return answers


def _write(
    raw: Path, kept: Path, spec: ClipSpec, bounds: Bounds, bundle: Bundle
) -> list[VideoError | None]:
    return keep_clips(kept, spec, bundle, decode_bundle(raw, spec, bounds, bundle))


def _bundles(videos: Iterable[Video], spec: ClipSpec, together: int) -> Iterator[Bundle]:
    short: list[Video] = []
    for video in videos:
        if not is_short(video[1], spec):
            yield [video]
            continue
        short.append(video)
        if len(short) == together:
            yield short
            short = []
    if short:
        yield short


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
