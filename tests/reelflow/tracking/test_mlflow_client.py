"""Reaching MLflow: the address, a database that is whole or not there, and plain sentences."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reelflow.base.errors import UnavailableError
from reelflow.tracking.mlflow_client import (
    TrackingError,
    address_from_environment,
    connect,
    exists,
    masked,
    sentences,
)
from tests.conftest import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def leave_no_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import mlflow

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    yield
    mlflow.set_tracking_uri(None)


def test_without_an_address_it_is_the_database_where_mlflow_itself_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    folder = tmp_path / "a folder, 100% odd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert address_from_environment() == mlflow.get_tracking_uri()


def test_an_address_that_is_set_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert address_from_environment() == "http://tracking:5000"


def test_asking_whether_a_database_exists_does_not_make_it(tmp_path: Path) -> None:
    assert not exists(f"sqlite:///{tmp_path}/mlflow.db")
    assert list(tmp_path.iterdir()) == []
    assert exists("http://127.0.0.1:1")


def test_a_file_that_is_no_database_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.write_text("a diary, say")
    with pytest.raises(TrackingError, match=r"mlflow\.db cannot be used \(file is not a database"):
        connect(f"sqlite:///{file}")
    assert file.read_text() == "a diary, say"


def test_a_server_that_does_not_answer_is_a_sentence_with_its_address() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UnavailableError, match=rf"{address} does not answer.*same command"):
            connect(address)


def test_an_address_of_an_unknown_kind_is_a_sentence() -> None:
    with pytest.raises(TrackingError, match="knows no address like bogus://x"):
        connect("bogus://x")


def test_a_password_in_an_address_is_not_repeated() -> None:
    assert masked("postgresql://me:secret@host/db") == "postgresql://***@host/db"
    assert masked("sqlite:////home/x/mlflow.db") == "sqlite:////home/x/mlflow.db"


def test_a_database_that_another_process_holds_is_worth_another_try(tmp_path: Path) -> None:
    file = tmp_path / "held.db"
    with closing(sqlite3.connect(file)) as holder, closing(sqlite3.connect(file)) as other:
        holder.execute("BEGIN EXCLUSIVE")
        other.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(UnavailableError, match="database is locked"), sentences("sqlite:///x"):
            other.execute("SELECT * FROM sqlite_master")


def test_a_mistake_of_the_program_stays_what_it_is() -> None:
    with pytest.raises(KeyError, match="here"), sentences("sqlite:///x"):
        raise KeyError("here")


@pytest.mark.slow
def test_a_kill_while_the_database_is_made_leaves_nothing_that_is_trusted(tmp_path: Path) -> None:
    script = (
        "from reelflow.tracking.mlflow_client import *; "
        "connect(address_from_environment()); print('made')"
    )
    command = [sys.executable, "-c", script]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}

    killed = subprocess.Popen(command, cwd=tmp_path, env=environment)
    # Half of the tables are there: the moment that MLflow alone does not recover from.
    while not any(f.stat().st_size > 300_000 for f in tmp_path.glob(".tmp-*.db")):
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "mlflow.db").exists()

    again = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert again.stdout == "made\n"
