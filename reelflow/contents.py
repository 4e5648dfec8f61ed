"""Files compared by their bytes, and whether they are the only ones that hold them."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from reelflow.video.check import hash_file


class Contents:
    """Files by their bytes; only files of the same size are read, each once."""

    def __init__(self) -> None:
        self.by_size: dict[int, list[tuple[str, Path]]] = defaultdict(list)
        self.hashes: dict[Path, str] = {}

    def note(self, name: str, path: Path) -> None:
        """Remember a file. Empty ones and what is no file have nothing to compare."""
        size = _size(path)
        if size:
            self.by_size[size].append((name, path))

    def same(self, path: Path) -> list[str]:
        """The names of the noted files that have the bytes of this one."""
        others = self.by_size.get(_size(path), [])
        return [
            name
            for name, other in others
            if os.path.samestat(other.stat(), path.stat())
            or self.digest(other) == self.digest(path)
        ]

    def digest(self, path: Path) -> str:
        """SHA-256 of a file's bytes, hexadecimal."""
        if path not in self.hashes:
            self.hashes[path] = hash_file(path)
        return self.hashes[path]


def only_copies(root: Path, names: Iterable[str], kept: Callable[[Path], bool]) -> list[str]:
    """Those of the files whose bytes would be lost with them: no other name, nor `kept`."""
    paths = [root / name for name in names]
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
    """Whether `target` has been made of `source`, by the look of it."""
    if not target.exists():
        return False
    old, new = target.stat(), source.stat()
    return os.path.samestat(old, new) or (
        old.st_size == new.st_size and old.st_mtime_ns >= new.st_mtime_ns
    )


def _size(path: Path) -> int:
    found = path.stat()
    return found.st_size if stat.S_ISREG(found.st_mode) else 0
