"""What in a folder of videos may be read, found without opening anything.

A folder may hold what makes a reader hang, read without end, or reach elsewhere: pipes, devices,
links out of it, files as large as a disk, names that are no text. Code that hashes, links or
versions a whole folder asks here first. Only `lstat` is called, on hidden entries too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from reelflow.base.errors import VideoError
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.video.open_safely import refuse_name, refuse_unusable, resolved

# No tool looks into these.
_PASSED_OVER = (".git", ".hg")


def set_aside(
    root: Path, links_to: Sequence[Path] = (), *, most_bytes: int = 0, reserved: Sequence[str] = ()
) -> list[VideoError]:
    """Entries of a folder, at any depth, that may not be read, each with reason and remedy.

    Args:
        root: the folder; need not exist.
        links_to: folders besides `root` that symbolic links in it may lead to.
        most_bytes: size beyond which a file is set aside; 0 for no limit.
        reserved: patterns of names that mean something to the tool that versions the folder.

    Returns:
        A `VideoError` an entry, sorted by path, which is relative to `root`; for a folder that is
        set aside one, and none for what it holds.
    """
    within = [Path(os.path.realpath(folder)) for folder in (root, *links_to)]
    found: list[VideoError] = []
    folders = [str(root)] if root.is_dir() else []
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as scan:
                entries = [entry for entry in scan if entry.name not in _PASSED_OVER]
        except PermissionError:
            name, reason = _below(root, folder), "It is a folder that may not be read."
            found.append(VideoError(name, "permission", reason, "Allow it: `chmod u+rx`."))
            continue
        for entry in entries:
            try:
                _refuse(entry, within, most_bytes, reserved)
            except VideoError as error:
                name = _below(root, entry.path)
                found.append(VideoError(name, error.code, error.reason, error.remedy))
            else:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
    return sorted(found, key=lambda error: error.path)


def let_through(
    videos: Iterable[LabelledVideo], odd: Iterable[VideoError]
) -> Iterator[LabelledVideo]:
    """The videos that are not set aside and do not lie in a folder that is."""
    names = {error.path for error in odd}
    for video in videos:
        above = (parent.as_posix() for parent in PurePosixPath(video.path).parents)
        if names.isdisjoint((video.path, *above)):
            yield video


def _refuse(
    entry: os.DirEntry[str], within: Sequence[Path], most_bytes: int, reserved: Sequence[str]
) -> None:
    path = Path(entry.path)
    refuse_name(entry.name)
    if any(fnmatchcase(entry.name, pattern) for pattern in reserved):
        reason = "The tool that keeps versions of this folder takes such a file for its own."
        raise VideoError(entry.name, "reserved", reason, "Rename it, or remove it.")
    if entry.is_symlink() and os.path.isdir(path):  # noqa: PTH112 (that of pathlib may raise)
        # It is followed only where it stands for a class; then each of its files is checked.
        if path.parent.resolve().is_relative_to(resolved(path, within)):
            reason = "It is a link to a folder that it lies in."
            raise VideoError(entry.name, "loop", reason, "Remove the link.")
    elif not entry.is_dir(follow_symlinks=False):
        # Only links need to be followed, and there may be a million other files.
        refuse_unusable(path, within if entry.is_symlink() else (), most_bytes=most_bytes)


def _below(root: Path, path: str) -> str:
    return Path(path).relative_to(root).as_posix()
