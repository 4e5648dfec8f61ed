"""What was found out about files: a spoiled memory costs a sentence and the work, never a run."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from reelflow.base.errors import UnavailableError, VideoError
from reelflow.dataset.check_cache import CheckCache

VERDICT = VideoError("a.mp4", "damaged", "It is.", "Mend it.")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A cache that knows a thousand files."""
    path = tmp_path / "checks.sqlite"
    with CheckCache(path) as cache:
        for number in range(1000):
            cache.store_verdict(f"{number:064}", VERDICT)
    return path


def known(path: Path) -> bool:
    with CheckCache(path) as cache:
        return cache.verdict_on(f"{7:064}", Path("b.mp4")) is not None


def other_tables(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE verdicts")
        database.execute("CREATE TABLE verdicts (other INTEGER)")


def overwrite(path: Path, start: int, content: bytes) -> None:
    whole = bytearray(path.read_bytes())
    whole[start : start + len(content)] = content
    path.write_bytes(whole)


def test_what_is_whole_is_believed(path: Path) -> None:
    assert known(path)


@pytest.mark.parametrize("garbage", [b"garbage, none of SQLite's", b"\xff" * 10_000])
def test_a_file_that_is_no_database_is_set_aside_and_a_new_one_begun(
    path: Path, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(garbage)
    assert not known(path)
    assert "file is not a database" in caplog.text
    assert "set aside as" in caplog.text
    assert path.with_name("checks.sqlite.damaged").read_bytes() == garbage
    with CheckCache(path) as cache:
        cache.store_verdict(f"{7:064}", VERDICT)
    assert known(path)


def test_a_file_that_was_cut_short_is_set_aside(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:8192])
    assert not known(path)
    assert path.with_name("checks.sqlite.damaged").stat().st_size == 8192


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: overwrite(path, 4096, b"\xee" * (path.stat().st_size - 4096)),
        other_tables,
    ],
)
def test_damage_that_shows_in_the_middle_is_a_sentence_and_the_next_run_goes_well(
    path: Path, spoil: object
) -> None:
    spoil(path)  # type: ignore[operator]
    with pytest.raises(UnavailableError, match="set aside as .* Run the same command again"):
        known(path)
    assert not known(path)
    assert not list(path.parent.glob("*-wal"))


def test_a_verdict_whose_bytes_were_changed_is_not_believed(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("UPDATE verdicts SET verdict = substr(verdict, 1, 20)")
    database.close()
    with pytest.raises(UnavailableError, match="incomplete or truncated"):
        known(path)


def test_a_file_that_another_process_holds_is_not_set_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **kw: connect(path, **{**kw, "timeout": 0})
    )
    holder = connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with (
            pytest.raises(UnavailableError, match="Another process holds"),
            CheckCache(path) as cache,
        ):
            cache.store_verdict("0" * 64, VERDICT)
    finally:
        holder.close()
    assert known(path)


def test_a_place_where_nothing_may_be_written_is_an_error_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "checks.sqlite").mkdir()
    with pytest.raises(OSError, match="unable to open database file"):
        CheckCache(tmp_path / "checks.sqlite")
