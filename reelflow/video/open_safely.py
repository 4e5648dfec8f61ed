"""Opening a video file safely: regular files alone, symbolic links within allowed folders.

A video is untrusted input. A decoder never gets its name, only an open descriptor: a file may be
called `-i`, `pipe:` or `%d.mp4`, and no program sees that. `reelflow.video.allowed_formats` limits
what a decoder may do with the descriptor; docs/threat-model.md describes both.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from reelflow.base.errors import VideoError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def opened(path: Path, within: Sequence[Path] = (), *, most_bytes: int = 0) -> Iterator[int]:
    """Open a regular file that is not empty, for one decoder; yield its descriptor.

    It never opens anything but a regular file: opening a FIFO blocks, and opening a device can make
    it act.

    Args:
        path: the file; symbolic links are followed.
        within: folders, one of which the file must lie in once links are followed; none: anywhere.
        most_bytes: size beyond which a file is refused; 0 for no limit.

    Raises:
        VideoError: `missing`, `permission`, `not_a_file`, `outside`, `empty`, `too_large` or
            `unreadable`.
    """
    real = refuse_unusable(path, within, most_bytes=most_bytes)
    try:
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(path, error) from None
    try:
        # Check again what was really opened.
        status = os.fstat(descriptor)
        _refuse_odd(path, status, most_bytes)
        if status.st_size == 0:
            raise VideoError(str(path), "empty", "It has no bytes.", "Copy or record it again.")
        yield descriptor
    finally:
        os.close(descriptor)


def regular_file_size(path: Path, within: Sequence[Path] = (), *, most_bytes: int = 0) -> int:
    """Bytes of a file that `opened` opens. Raises `VideoError` as it does."""
    with opened(path, within, most_bytes=most_bytes) as descriptor:
        return os.fstat(descriptor).st_size


def refuse_unusable(path: Path, within: Sequence[Path] = (), *, most_bytes: int = 0) -> Path:
    """Return where a file really lies; raise `VideoError` as `opened` does for what it never opens.

    It opens nothing. An empty file passes: it does no harm.
    """
    try:
        real = resolved(path, within) if within or path.is_symlink() else path
        _refuse_odd(path, real.stat(), most_bytes)
    except OSError as error:
        raise _refusal(path, error) from None
    if not os.access(real, os.R_OK):
        raise _refusal(path, PermissionError())
    return real


def refuse_name(path: str) -> None:
    """Raise `VideoError`, `name`, if the tables, which are UTF-8, cannot hold the path."""
    try:
        path.encode()
    except UnicodeEncodeError:
        raise VideoError(path, "name", "Its name is not valid UTF-8.", "Rename the file.") from None


def resolved(path: Path, within: Sequence[Path]) -> Path:
    """Where a file really lies, once links are followed.

    Raises:
        VideoError: `outside` if that is in none of the folders `within` (an empty `within` allows
            any place), `missing`, `permission` or `unreadable`.
    """
    try:
        real = Path(os.path.realpath(path, strict=True))
    except OSError as error:
        raise _refusal(path, error) from None
    # A folder without links, as most are, is not followed again for each file.
    if within and not any(
        real.is_relative_to(folder) or real.is_relative_to(os.path.realpath(folder))
        for folder in within
    ):
        reason = "It is a link that leads out of the folder of the videos."
        remedy = (
            "Put the video itself there, or, if you trust it, name its folder in ingest.links_to."
        )
        raise VideoError(str(path), "outside", reason, remedy)
    return real


def _refuse_odd(path: Path, status: os.stat_result, most_bytes: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no regular file")
        raise VideoError(str(path), "not_a_file", f"It is {kind}.", "Name a video file.")
    if most_bytes and status.st_size > most_bytes:
        reason = f"It has {status.st_size / 2**30:.1f} GiB, more than a file may have here."
        remedy = "Cut it into parts, or raise ingest.max_file_gb."
        raise VideoError(str(path), "too_large", reason, remedy)


def _refusal(path: Path, error: OSError) -> VideoError:
    name = str(path)
    if isinstance(error, FileNotFoundError):
        if path.is_symlink():
            return VideoError(name, "missing", "It is a link to nothing.", "Remove the link.")
        return VideoError(name, "missing", "There is no such file.", "Check the path.")
    if isinstance(error, PermissionError):
        return VideoError(name, "permission", "It may not be read.", "Allow it: `chmod +r -- IN`.")
    reason = f"It cannot be read ({error.strerror})."
    return VideoError(name, "unreadable", reason, "Check the disk.")
