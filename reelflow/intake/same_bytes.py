"""Files compared by their bytes, and whether they are the only ones that hold them."""

from __future__ import annotations

import filecmp
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from reelflow.video.check import hash_file


class Contents:
    """Files by their bytes; only files of the same size are read, each once."""

    def __init__(self) -> None:
        self.unread: dict[int, list[tuple[str, Path]]] = defaultdict(list)
        self.by_digest: dict[tuple[int, str], list[str]] = defaultdict(list)
        self.by_inode: dict[tuple[int, int], list[str]] = defaultdict(list)
        self.sizes: set[int] = set()

    def note(self, name: str, path: Path) -> None:
        """Remember a file. Empty ones and what is no file have nothing to compare; where a link
        leads is not looked at."""
        found = path.lstat()
        if found.st_size and stat.S_ISREG(found.st_mode):
            self.unread[found.st_size].append((name, path))
            self.by_inode[found.st_dev, found.st_ino].append(name)
            self.sizes.add(found.st_size)

    def same(self, path: Path) -> list[str]:
        """The names of the remembered files that have the bytes of this one; of those that are
        this very file, where there are any, so that it need not be read."""
        found = path.stat()
        linked = self.by_inode.get((found.st_dev, found.st_ino))
        if linked or found.st_size not in self.sizes:
            return list(linked or [])
        for name, other in self.unread.pop(found.st_size, []):
            self.by_digest[found.st_size, hash_file(other)].append(name)
        return list(self.by_digest.get((found.st_size, hash_file(path)), []))


def only_copies(root: Path, names: Iterable[str], kept: Callable[[Path], bool]) -> list[str]:
    """Those of the files whose bytes would be lost with them: no other name, nor `kept`. What is
    no regular file has none."""
    every = (root / name for name in names)
    paths = [path for path in every if stat.S_ISREG(path.lstat().st_mode)]
    ours: dict[tuple[int, int], int] = defaultdict(int)
    for path in paths:
        found = path.lstat()
        ours[found.st_dev, found.st_ino] += 1
    return [
        path.relative_to(root).as_posix()
        for path in paths
        if path.lstat().st_nlink <= ours[path.lstat().st_dev, path.lstat().st_ino]
        and not kept(path)
    ]


def same_file(source: Path, target: Path) -> bool:
    """Whether `target` has been made of `source`: the same file, or one of the same size that has
    the same time, as copies get it, or the same bytes, where a disk or DVC gave it another."""
    if target.is_symlink() or not target.is_file():
        return False
    old, new = target.stat(), source.stat()
    return os.path.samestat(old, new) or (
        old.st_size == new.st_size
        and (old.st_mtime_ns == new.st_mtime_ns or filecmp.cmp(source, target, shallow=False))
    )
