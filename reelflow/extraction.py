"""Filling a frame store from videos, in parallel, and closing it with an index.

Units are written by the processes that decode them, so no frame crosses a process border; what
comes back is a line of statistics. The index is made from the units themselves, so that it is the
same whether they were made in one run, in many, or after a kill.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from reelflow.errors import DataError, VideoError
from reelflow.files import TEMPORARY_PREFIX, replacing, write_json
from reelflow.parallel import ProcessDiedError, each
from reelflow.progress import track
from reelflow.store import INDEX, SPEC, read_unit, unit_path, write_unit
from reelflow.video.check import VideoInfo
from reelflow.video.clip import Clip, ClipSpec
from reelflow.video.ffmpeg import Bounds
from reelflow.video.read import read_clip

log = logging.getLogger(__name__)

_INFO_FIELDS = tuple(VideoInfo.__dataclass_fields__)


def extract_missing(
    manifest: pd.DataFrame, raw: Path, store: Path, spec: ClipSpec, bounds: Bounds, workers: int
) -> int:
    """Decode the videos that have no unit yet; return how many there were.

    Args:
        manifest: as `reelflow.catalogue` makes it.
        raw: folder that the paths of the manifest are relative to.
        store: the frame store.
        spec: the clip of every video.
        bounds: limits of each decoder.
        workers: processes at once, 0 for one a core.

    Raises:
        DataError: videos that were usable when they were checked could not be decoded; the others
            were, and are kept.
    """
    missing = [
        row for row in _rows(manifest) if not (store / unit_path(row["hash"], spec)).exists()
    ]
    if not missing:
        return 0
    work = partial(_extract_one, raw, store, spec, bounds)
    failed = []
    for row, answer in track(each(work, missing, workers), len(missing), "extracting frames"):
        if isinstance(answer, ProcessDiedError):
            failed.append(f"{row['path']}: decoding it killed the process.")
        elif answer:
            failed.append(answer)
    if failed:
        raise DataError(
            f"{len(failed)} of {len(missing)} videos could not be decoded: {' '.join(failed[:3])} "
            "The frames of the others are kept. Mend or remove these and run again."
        )
    return len(missing)


def finish_store(manifest: pd.DataFrame, store: Path, spec: ClipSpec) -> pd.DataFrame:
    """Write the index and the spec, remove the units that no video asks for; return the index."""
    known = _known_statistics(store, spec)
    rows = []
    for digest in sorted(manifest["hash"]):
        unit = unit_path(digest, spec)
        rows.append(known.get(digest) or _describe(digest, unit, read_unit(store / unit)))
    index = pd.DataFrame(rows)
    write_json(store / SPEC, spec.to_dict())
    with replacing(store / INDEX) as temporary:
        index.to_parquet(temporary, index=False)
    _sweep(store, {store / unit for unit in index["unit"]})
    return index


def _rows(manifest: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for row in manifest[[*_INFO_FIELDS, "path"]].to_dict("records"):
        yield {str(key): value for key, value in row.items()}


def _extract_one(
    raw: Path, store: Path, spec: ClipSpec, bounds: Bounds, row: dict[str, Any]
) -> str | None:
    """Decode one video and write its unit; return what went wrong, if anything."""
    info = VideoInfo(**{name: row[name] for name in _INFO_FIELDS})
    try:
        clip = read_clip(raw / row["path"], spec, bounds, info=info)
    except VideoError as error:
        return str(error)
    write_unit(store / unit_path(info.hash, spec), clip)
    return None


def _describe(digest: str, unit: Path, clip: Clip) -> dict[str, Any]:
    """A row of the index. Brightness and change are means over all pixels, 0 to 255."""
    frames = clip.frames
    steps = np.abs(np.diff(frames.astype(np.int16), axis=0))
    return {
        "hash": digest,
        "unit": unit.as_posix(),
        "timestamps": clip.timestamps,
        "brightness": float(frames.mean(dtype=np.float64)),
        "change": float(steps.mean(dtype=np.float64)) if len(steps) else 0.0,
    }


def _known_statistics(store: Path, spec: ClipSpec) -> dict[str, dict[str, Any]]:
    """Rows of the former index whose units are those wanted now: a unit never changes."""
    try:
        former = pd.read_parquet(store / INDEX)
    except FileNotFoundError:
        return {}
    rows = former.to_dict("records")
    return {
        str(row["hash"]): {str(key): value for key, value in row.items()}
        for row in rows
        if row["unit"] == unit_path(str(row["hash"]), spec).as_posix()
        and (store / str(row["unit"])).exists()
    }


def _sweep(store: Path, wanted: set[Path]) -> None:
    """Remove units of other specs or of videos that are gone, and what a kill left half-written."""
    for path in store.rglob("*"):
        if path.is_dir() or path in wanted or path.name in (INDEX, SPEC):
            continue
        if path.suffix == ".npz" or path.name.startswith(TEMPORARY_PREFIX):
            path.unlink()
            log.debug("removed %s", path)
    for folder in store.iterdir():
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
