"""Bringing somebody's labelled videos into the raw folder, linked and not copied.

A video is cloned where the file system can share blocks (btrfs, xfs, …), else hard-linked, and
copied only across disks. A ledger of what was brought lets a second call bring what is new, take
out what is gone from the source, and refuse to touch anything that came by another way.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from reelflow.errors import DataError, VideoError
from reelflow.files import TEMPORARY_PREFIX, write_json, write_text
from reelflow.labelled import CSV_NAME, LabelledVideo, list_videos
from reelflow.progress import track
from reelflow.video.source import resolved

log = logging.getLogger(__name__)

# From linux/fs.h: make a file share the blocks of another one.
_FICLONE = 0x40049409


@dataclass(frozen=True)
class Brought:
    """How many videos were brought, were there already, and were taken out."""

    new: int
    kept: int
    removed: int

    @property
    def changed(self) -> bool:
        return bool(self.new or self.removed)


def bring(
    source: Path,
    raw: Path,
    ledger: Path,
    *,
    copy: bool = False,
    links_to: Sequence[Path] = (),
) -> Brought:
    """Make `raw` hold the labelled videos of `source`.

    Args:
        source: a folder per class, a folder with a `videos.csv`, or a csv itself, whose paths are
            relative to it or absolute.
        raw: the folder that the pipeline reads.
        ledger: machine-local JSON file that says what was brought by former calls.
        copy: copy where cloning is not possible, instead of a hard link. (A hard-linked video
            becomes read-only: DVC protects what it has a version of.)
        links_to: folders outside `source` that symbolic links in it may lead to.

    Raises:
        DataError: the source is not usable (as `list_videos`) or holds links that lead out of it,
            or `raw` holds videos that came by another way.
    """
    folder = source.parent if source.is_file() else source
    if folder.resolve() == raw.resolve():
        return Brought(0, len(list_videos(raw)), 0)
    videos = list_videos(folder, csv=source if source.is_file() else None, anywhere=True)
    _refuse_links_out(folder, videos, links_to)
    wanted = {_place(video): video for video in videos}
    former = _former(ledger)
    present = _files(raw)
    foreign = sorted(present - former - {CSV_NAME})
    if foreign:
        raise DataError(
            f"{raw} holds {len(foreign)} files that did not come from {source} (e.g. {foreign[0]})."
            f" To run on them, leave DATA away. To run on {source} instead, move {raw} out of the "
            "way first. To add videos to it, put them into data/inbox/<class>/ and run "
            "`reelflow retrain`."
        )
    # Written first: after a kill the next call knows that what it finds may be replaced.
    write_json(ledger, {"source": str(source.resolve()), "files": sorted(former | set(wanted))})
    gone = [name for name in present - set(wanted) if name != CSV_NAME]
    for name in gone:
        (raw / name).unlink()
    new = 0
    for name, video in track(wanted.items(), len(wanted), "linking videos"):
        new += _put(folder / video.path, raw / name, copy=copy)
    _write_csv(raw / CSV_NAME, wanted)
    _drop_empty_folders(raw)
    write_json(ledger, {"source": str(source.resolve()), "files": sorted(wanted)})
    return Brought(new, len(wanted) - new, len(gone))


def _refuse_links_out(
    folder: Path, videos: Sequence[LabelledVideo], links_to: Sequence[Path]
) -> None:
    """A link would bring in what whoever made the folder may not even have seen. What a csv names
    outside its folder is meant."""
    for video in videos:
        if _is_outside(PurePosixPath(video.path)):
            continue
        try:
            resolved(folder / video.path, (folder, *links_to))
        except VideoError as error:
            raise DataError(str(error)) from None


def _is_outside(path: PurePosixPath) -> bool:
    return path.is_absolute() or ".." in path.parts


def _place(video: LabelledVideo) -> str:
    """Where a video goes in the raw folder: where it was, or under its label if that is outside."""
    path = PurePosixPath(video.path)
    if _is_outside(path):
        parts = [part for part in path.parts if part not in ("/", "..")]
        return PurePosixPath(video.label, *parts).as_posix()
    return path.as_posix()


def _former(ledger: Path) -> set[str]:
    try:
        return set(json.loads(ledger.read_text(encoding="utf-8"))["files"])
    except FileNotFoundError:
        return set()


def _files(root: Path) -> set[str]:
    return {
        (Path(folder) / name).relative_to(root).as_posix()
        for folder, _, names in os.walk(root)
        for name in names
        if not name.startswith(TEMPORARY_PREFIX)
    }


def _put(source: Path, target: Path, *, copy: bool) -> bool:
    """Make `target` have the bytes of `source`; return whether anything had to be done."""
    if target.exists():
        old, new = target.stat(), source.stat()
        if os.path.samestat(old, new) or (
            old.st_size == new.st_size and old.st_mtime_ns >= new.st_mtime_ns
        ):
            return False
        target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f"{TEMPORARY_PREFIX}{target.name}"
    temporary.unlink(missing_ok=True)
    real = source.resolve()
    if not _clone(real, temporary) and (copy or not _hard_link(real, temporary)):
        shutil.copy2(real, temporary)
    temporary.replace(target)
    return True


def _clone(source: Path, target: Path) -> bool:
    try:
        with source.open("rb") as old, target.open("wb") as new:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
    except OSError:
        target.unlink(missing_ok=True)
        return False
    shutil.copystat(source, target)
    return True


def _hard_link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


def _write_csv(path: Path, wanted: dict[str, LabelledVideo]) -> None:
    """A csv only where folders do not say it all: files put into class folders later then count."""
    if all(
        name.split("/")[0] == video.label and not video.group and not video.split
        for name, video in wanted.items()
    ):
        path.unlink(missing_ok=True)
        return
    rows = [
        {"path": name, "label": video.label, "group": video.group or "", "split": video.split or ""}
        for name, video in sorted(wanted.items())
    ]
    write_text(path, pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def _drop_empty_folders(root: Path) -> None:
    for folder, _, _ in os.walk(root, topdown=False):
        if folder != str(root) and not any(Path(folder).iterdir()):
            Path(folder).rmdir()
