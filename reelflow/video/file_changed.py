"""Whether a file is still the one that was checked: by the hash of its bytes, and by its stamp.

Somebody may replace or change a file at any moment, also while it is read. What is stored under the
hash of a video must come from these bytes. So the stamp is taken before anything is read, and the
hash is compared after decoding, when the bytes are still in memory.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from reelflow.base.errors import VideoError
from reelflow.base.files import visible_files
from reelflow.video.open_safely import opened


def hash_and_stamp(path: Path) -> tuple[str, str]:
    """SHA-256 of a file's bytes, hexadecimal, and its stamp from before they were read. Raises
    `VideoError` as `open_safely.opened`."""
    with opened(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as file:
        stamp = _stamp(os.fstat(descriptor))
        return hashlib.file_digest(file, "sha256").hexdigest(), stamp


def stamp_of(path: Path | str) -> str:
    """Size, time of change and inode of a file, links followed; empty if there is none."""
    try:
        return _stamp(os.stat(path))  # noqa: PTH116 (see `stamps_below`)
    except OSError:
        return ""


def refuse_changed(path: Path, digest: str, stamp: str) -> None:
    """Raise `VideoError`, `changed`, if a file has other bytes or was written to; as `opened` does
    if it cannot be read.

    Args:
        path: the file, which was just decoded, so that its bytes are still in memory.
        digest: the SHA-256 that it must have.
        stamp: that from before it was decoded.
    """
    if hash_and_stamp(path) != (digest, stamp):
        raise changed(path)


def changed(path: Path) -> VideoError:
    """What is wrong with a file that is no longer the one that was checked."""
    remedy = "Do not write to videos while the pipeline runs; run it again."
    return VideoError(str(path), "changed", "It is no longer the file that was checked.", remedy)


def stamps_below(root: Path) -> dict[str, str]:
    """The stamp of each file in a folder and below it, by its path in it, but for hidden ones."""
    return {path: stamp_of(f"{root}/{path}") for path in visible_files(root)}


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
