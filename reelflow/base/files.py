"""Write files atomically: a kill at any moment leaves the old file or the new one.

The new content goes to a temporary name beside the target, is flushed to the disk, and takes the
target's name in one step (`Path.replace`). A temporary name starts with `.tmp-reelflow-` and the
number of the process that writes. So files that a kill left can be distinguished from those that
are being written, and both from files of other programs.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# DVC and git pass over `.tmp-*` (.dvcignore, .gitignore).
TEMPORARY_PREFIX = ".tmp-reelflow-"
_TEMPORARY = re.compile(re.escape(TEMPORARY_PREFIX) + r"(\d+)-")
_LONGEST_SUFFIX = 16  # longer ones could exceed the 255 bytes of a name


def temporary_beside(path: Path) -> Path:
    """A new name beside `path`, with its suffix, for a file that will replace it."""
    suffix = path.suffix if len(path.suffix) <= _LONGEST_SUFFIX else ""
    return path.with_name(f"{TEMPORARY_PREFIX}{os.getpid()}-{secrets.token_hex(6)}{suffix}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on a clean exit it becomes `path`, else it is removed.

    Raises:
        OSError: the disk is full or not writable; `path` then holds what it held before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(path)
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_left_over(folder: Path, *, below: bool = False) -> None:
    """Remove what this program left in `folder` when it was killed.

    Args:
        folder: need not exist.
        below: also in all folders below it; links to folders are not followed.
    """
    found = folder.rglob if below else folder.glob
    for path in found(f"{TEMPORARY_PREFIX}*"):
        made = _TEMPORARY.match(path.name)
        if made and not _runs(int(made[1])) and stat.S_ISREG(path.lstat().st_mode):
            path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    # As psutil has it, which registered models do without.
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, and is another user's
    return True


def visible_files(root: Path) -> Iterator[str]:
    """The paths, relative to a folder, of all files in it and below it but the hidden ones."""
    # Plain text: with paths as objects, ten thousand files take three times as long.
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield f"{folder}/{name}".removeprefix(f"{root}/")


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, or a copy where the disk cannot link; atomically."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(target)
    try:
        os.link(source, temporary)
        temporary.replace(target)
    except OSError:
        with replacing(target) as copy:
            shutil.copyfile(source, copy)
    finally:
        # Where both were the same file already, the kernel does nothing and leaves the other name.
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 with `\\n` line ends, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON with sorted keys, atomically; NaN is refused (`ValueError`)."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file's bytes, hexadecimal. Raises `OSError`; for a video from outside see
    `reelflow.video.check_by_decoding.hash_file`, which opens nothing but regular files."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
