"""The results of earlier checks, so that one new video costs the check of one video.

A small SQLite file on this machine: it is a cache, not an output, and may be deleted at any time.
A damaged one is set aside, and a new one begun. It finds a file by path, size, time of change and
inode, and a verdict by the hash of the bytes. Verdicts are written one by one, so a killed run goes
on where it was. Whatever could be decoded has its fingerprint beside its verdict.
"""

from __future__ import annotations

import errno
import json
import logging
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from reelflow.base.decoder_versions import decoders
from reelflow.base.errors import UnavailableError, VideoError
from reelflow.dataset.fingerprints import FINGERPRINT_VERSION, SIDE, Pictures
from reelflow.video.check_by_decoding import CHECK_VERSION, DamagedVideoError, VideoInfo

log = logging.getLogger(__name__)

Verdict = VideoInfo | VideoError

# These depend on the machine and on the bounds in params, so they are checked again.
_NOT_REMEMBERED = {"timeout", "memory", "crash", "killed", "permission", "missing", "changed"}

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS verdicts (hash TEXT, version TEXT, verdict BLOB NOT NULL,
                                     PRIMARY KEY (hash, version));
CREATE TABLE IF NOT EXISTS pictures (hash TEXT, version TEXT, pictures BLOB NOT NULL,
                                     PRIMARY KEY (hash, version));
"""


_SPOILED = (sqlite3.DatabaseError, zlib.error)
_OF_THE_DISK = {
    "SQLITE_FULL": errno.ENOSPC,
    "SQLITE_CANTOPEN": errno.EACCES,
    "SQLITE_READONLY": errno.EROFS,
    "SQLITE_IOERR": errno.EIO,
}


class CheckCache:
    """Verdicts on files by content; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        try:
            self._db = _open(path)
        except sqlite3.DatabaseError as error:
            log.warning("%s", _set_aside(path, error))
            self._db = _open(path)
        # Another decoder may come to another verdict on the same bytes.
        self._version = f"{CHECK_VERSION}, {FINGERPRINT_VERSION}, {decoders()}"

    def __enter__(self) -> CheckCache:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._db.close()
        if isinstance(error, _SPOILED) and not isinstance(error, sqlite3.ProgrammingError):
            sentence = _set_aside(self._path, error)
            raise UnavailableError(f"{sentence} Run the same command again.") from error

    def hash_of(self, path: Path, stamp: str) -> str | None:
        """The SHA-256 of a file when it had this stamp (`reelflow.video.file_changed`), or None."""
        asked = "SELECT hash FROM files WHERE path = ? AND stamp = ?"
        return self._one(asked, str(path), stamp)

    def store_hash(self, path: Path, digest: str, stamp: str) -> None:
        """Remember the SHA-256 of a file, and the stamp that it had before it was read."""
        self._store("files", str(path), stamp, digest)

    def verdict_on(self, digest: str, path: Path) -> Verdict | None:
        """The verdict on these bytes, worded for `path`, or None."""
        found = self._of(digest, "verdict", "verdicts")
        return _unpack(found, path) if found else None

    def store_verdict(self, digest: str, verdict: Verdict) -> None:
        """Remember a verdict, unless it depends on this machine."""
        if not isinstance(verdict, VideoError) or verdict.code not in _NOT_REMEMBERED:
            self._store("verdicts", digest, self._version, _pack(verdict))

    def pictures_of(self, digest: str) -> Pictures:
        """The fingerprint of a video that was decoded, uint8 (N, SIDE, SIDE)."""
        found = zlib.decompress(self._of(digest, "pictures", "pictures"))
        return np.frombuffer(found, np.uint8).reshape(-1, SIDE, SIDE)

    def store_fingerprint(self, digest: str, pictures: Pictures) -> None:
        """Remember a fingerprint, to be stored before the verdict."""
        packed = zlib.compress(pictures.tobytes(), 1)
        self._store("pictures", digest, self._version, packed)

    def _of(self, digest: str, column: str, table: str) -> Any:
        asked = f"SELECT {column} FROM {table} WHERE hash = ? AND version = ?"  # noqa: S608
        return self._one(asked, digest, self._version)

    def _one(self, asked: str, *values: str) -> Any:
        row = self._db.execute(asked, values).fetchone()
        return row and row[0]

    def _store(self, table: str, *values: str | bytes) -> None:
        marks = ", ".join("?" * len(values))
        self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values)  # noqa: S608


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.executescript(_SCHEMA)
    except BaseException:
        database.close()
        raise
    return database


def _set_aside(path: Path, error: sqlite3.DatabaseError | zlib.error) -> str:
    """Move a damaged file away and return a sentence on it; raise if the file is not at fault."""
    name = getattr(error, "sqlite_errorname", "")
    for start, code in _OF_THE_DISK.items():
        if name.startswith(start):
            raise OSError(code, f"SQLite: {error}", str(path)) from error
    if name.startswith("SQLITE_BUSY"):
        raise UnavailableError(f"Another process holds {path}. Try again later.") from error
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    for beside in ("-wal", "-shm"):  # SQLite would take them for those of the new file
        path.with_name(path.name + beside).unlink(missing_ok=True)
    return (
        f"{path} is damaged ({error}). It only remembered what was found out about files; it is "
        f"set aside as {aside}, and a new one is begun: every video is checked anew."
    )


def _pack(verdict: Verdict) -> bytes:
    value: dict[str, Any] = {}
    if isinstance(verdict, VideoError):
        value = {"code": verdict.code, "reason": verdict.reason, "remedy": verdict.remedy}
    info = verdict.info if isinstance(verdict, DamagedVideoError) else verdict
    if isinstance(info, VideoInfo):
        value["info"] = vars(info)
    return zlib.compress(json.dumps(value).encode(), 1)


def _unpack(packed: bytes, path: Path) -> Verdict:
    value = json.loads(zlib.decompress(packed))
    if "info" not in value:
        return VideoError(str(path), value["code"], value["reason"], value["remedy"])
    info = VideoInfo(**{**value["info"], "pts": tuple(value["info"]["pts"])})
    if "code" not in value:
        return info
    return DamagedVideoError(str(path), value["reason"], value["remedy"], info)
