"""Files compared by their bytes, and whether they are the only ones that hold them."""

from __future__ import annotations

import filecmp
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from reelflow.video.check_by_decoding import hash_file


class Contents:
    """Files by their bytes; only files of the same size are read, each once."""

    def __init__(self) -> None:
        self.unread: dict[int, list[tuple[str, Path]]] = defaultdict(list)
        self.by_digest: dict[tuple[int, str], list[str]] = defaultdict(list)
        self.by_inode: dict[tuple[int, int], list[str]] = defaultdict(list)

    def note(self, name: str, path: Path) -> None:
        """Remember a regular file that is not empty; anything else has nothing to compare. Links
        are not followed."""
        found = path.lstat()
        if found.st_size and stat.S_ISREG(found.st_mode):
            self.unread[found.st_size].append((name, path))
            self.by_inode[found.st_dev, found.st_ino].append(name)

    def same(self, path: Path) -> list[str]:
        """The names of the remembered files with the same bytes. If some are names of this very
        file, only those, so that it need not be read."""
        found = path.stat()
        linked = self.by_inode.get((found.st_dev, found.st_ino))
        if linked or found.st_size not in self.unread:
            return list(linked or [])
        hashed = [(hash_file(other), name) for name, other in self.unread[found.st_size]]
        self.unread[found.st_size] = []  # only now: a file that cannot be read is tried again
        for digest, name in hashed:
            self.by_digest[found.st_size, digest].append(name)
        return list(self.by_digest.get((found.st_size, hash_file(path)), []))


def only_copies(root: Path, names: Iterable[str], kept: Callable[[Path], bool]) -> list[str]:
    """The files whose bytes would be lost with them: those with no other name that are not `kept`.
    Only regular files have bytes to lose."""
    found = {name: (root / name).lstat() for name in names}
    regular = {name: status for name, status in found.items() if stat.S_ISREG(status.st_mode)}
    ours = Counter((status.st_dev, status.st_ino) for status in regular.values())
    return [
        name
        for name, status in regular.items()
        if status.st_nlink <= ours[status.st_dev, status.st_ino] and not kept(root / name)
    ]


def same_file(source: Path, target: Path) -> bool:
    """Whether `target` was made from `source`: it is the same file, or has the same size and
    either the same time, as copies have, or the same bytes, if a disk or DVC changed the time."""
    if target.is_symlink() or not target.is_file():
        return False
    old, new = target.stat(), source.stat()
    return os.path.samestat(old, new) or (
        old.st_size == new.st_size
        and (old.st_mtime_ns == new.st_mtime_ns or filecmp.cmp(source, target, shallow=False))
    )
