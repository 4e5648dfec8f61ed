"""Names of files in a folder: those that are there, a free one, links, empty folders."""

from __future__ import annotations

import errno
import os
from collections.abc import Container
from pathlib import Path, PurePosixPath

from reelflow.base.files import TEMPORARY_PREFIX, digest_of


def files_in(root: Path) -> set[str]:
    """The names, relative to `root`, of all files and links in it, but those that a kill left
    incomplete. Links to folders are not followed."""
    return {
        (Path(folder) / name).relative_to(root).as_posix()
        for folder, folders, names in os.walk(root)
        for name in (*names, *(link for link in folders if Path(folder, link).is_symlink()))
        if not name.startswith(TEMPORARY_PREFIX)
    }


def free_name(raw: Path, name: str, path: Path, taken: Container[str] = ()) -> str:
    """The name for a file in `raw`, or where other bytes have it, one with a part of the hash.

    Args:
        raw: the folder.
        name: relative to `raw`.
        path: the file that is to have the name.
        taken: names that are not there yet, and will be.
    """
    place = PurePosixPath(name)
    for digits in (0, 8, 64):
        mark = f"-{digest_of(path)[:digits]}" if digits else ""
        free = place.with_name(f"{place.stem}{mark}{place.suffix}").as_posix()
        if free not in taken and not os.path.lexists(raw / free):
            return free
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(raw / free))


def linked_folder(raw: Path, name: str) -> Path | None:
    """The first folder of a name in `raw` that is a link: it may be somebody else's, so nothing is
    written into it."""
    folders = [raw / parent for parent in reversed(PurePosixPath(name).parents) if parent.name]
    return next((folder for folder in folders if folder.is_symlink()), None)


def drop_empty_folders(root: Path) -> None:
    """Remove the folders under `root` that hold nothing."""
    for folder, _, _ in os.walk(root, topdown=False):
        if folder != str(root) and not any(Path(folder).iterdir()):
            Path(folder).rmdir()
