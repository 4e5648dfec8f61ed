"""What was found out about files before, so that a new video costs what one video costs.

A small SQLite file on this machine: it is a memory, not an output, and may be deleted at any time.
A file is known by path, size, time of change and inode; what it is, by the hash of its bytes.
Verdicts are written one by one, so a killed run goes on where it was.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any

from reelflow.errors import VideoError
from reelflow.video.check import CHECK_VERSION, DamagedVideoError, VideoInfo

Verdict = VideoInfo | VideoError

# These depend on the machine and on the bounds in params, so they are found out anew.
_NOT_REMEMBERED = {"timeout", "memory", "crash", "killed", "permission", "missing"}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS verdicts (hash TEXT, version INTEGER, verdict BLOB NOT NULL,
                                     PRIMARY KEY (hash, version));
"""


class CheckCache:
    """Verdicts on files by content; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def __enter__(self) -> CheckCache:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def hash_of(self, path: Path) -> str | None:
        """The SHA-256 of a file that has not changed since it was stored, else None."""
        row = self._db.execute(
            "SELECT hash FROM files WHERE path = ? AND stamp = ?", (str(path), _stamp(path))
        ).fetchone()
        return str(row[0]) if row else None

    def store_hash(self, path: Path, digest: str) -> None:
        """Remember the SHA-256 of a file as it is now."""
        self._db.execute(
            "INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (str(path), _stamp(path), digest)
        )

    def verdict_on(self, digest: str, path: Path) -> Verdict | None:
        """What is known of these bytes, as said of `path`, or None."""
        row = self._db.execute(
            "SELECT verdict FROM verdicts WHERE hash = ? AND version = ?", (digest, CHECK_VERSION)
        ).fetchone()
        return _unpack(row[0], path) if row else None

    def store_verdict(self, digest: str, verdict: Verdict) -> None:
        """Remember a verdict, unless it depends on this machine."""
        if isinstance(verdict, VideoError) and verdict.code in _NOT_REMEMBERED:
            return
        self._db.execute(
            "INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?)",
            (digest, CHECK_VERSION, _pack(verdict)),
        )


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def _pack(verdict: Verdict) -> bytes:
    value: dict[str, Any] = {}
    if isinstance(verdict, VideoError):
        value = {"code": verdict.code, "reason": verdict.reason, "remedy": verdict.remedy}
    info = verdict.info if isinstance(verdict, DamagedVideoError) else verdict
    if isinstance(info, VideoInfo):
        value["info"] = info.to_dict()
    return zlib.compress(json.dumps(value).encode(), 1)


def _unpack(packed: bytes, path: Path) -> Verdict:
    value = json.loads(zlib.decompress(packed))
    if "info" not in value:
        return VideoError(str(path), value["code"], value["reason"], value["remedy"])
    info = VideoInfo(**{**value["info"], "pts": tuple(value["info"]["pts"])})
    if "code" not in value:
        return info
    return DamagedVideoError(str(path), value["reason"], value["remedy"], info)
