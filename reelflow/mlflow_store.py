"""The way to MLflow: its address, a client, and a sentence when it cannot be reached.

Without an address MLflow keeps everything in `mlflow.db` of the current folder (SQLite) and files
in `mlruns/`, which is also where a plain `mlflow ui` looks. Two things are done here because
MLflow does not: its database is made under another name first, since a kill during its first
migration (3 s) leaves a file that MLflow can never open again; and a server that does not answer
is asked again for half a minute, not for four.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from filelock import FileLock

from reelflow.errors import ReelflowError
from reelflow.files import replacing

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE = "mlflow.db"
EXPERIMENT = "reelflow"

# Waits of 0, 2, 4, 8 and 16 s between attempts: longer than a server takes to start again.
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "5",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
}


class TrackingError(ReelflowError):
    """MLflow cannot be reached, or cannot work."""


def address_from_environment() -> str:
    """`MLFLOW_TRACKING_URI`, or the SQLite database in the current folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{quote(str(Path.cwd()))}/{DATABASE}"


def experiment_from_environment() -> str:
    """`MLFLOW_EXPERIMENT_NAME`, or `reelflow`."""
    return os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT


def exists(address: str) -> bool:
    """False for a SQLite file that is not there; true for all else, which must be asked."""
    file = _sqlite_file(address)
    return file is None or file.exists()


def connect(address: str) -> MlflowClient:
    """Return a client of the MLflow at `address` and make it the current one of this process.

    A SQLite database that is not there is made, whole or not at all, also when two processes
    come at once.

    Raises:
        TrackingError: MLflow does not answer, or its database cannot be used.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    import mlflow

    _calm(address)
    with sentences(address):
        if file := _sqlite_file(address):
            _check_or_make(file)
        mlflow.set_tracking_uri(address)
        client = mlflow.MlflowClient(address)
        client.search_experiments(max_results=1)
    return client


@contextmanager
def sentences(address: str) -> Iterator[None]:
    """Turn what only a person can mend (a lost server, a full database) into a `TrackingError`.

    Whatever else goes wrong inside passes through as it is.
    """
    try:
        yield
    except ReelflowError:
        raise
    except Exception as error:
        told = _sentence(address, error)
        if told is None:
            raise
        raise TrackingError(told) from error


def masked(address: str) -> str:
    """The address without a password that it may carry."""
    return re.sub(r"//[^/@]*@", "//***@", address)


def _sentence(address: str, error: BaseException) -> str | None:
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import DBAPIError

    where, again = masked(address), "What was computed is kept: run the same command again."
    for cause in _chain(error):
        if isinstance(cause, requests.exceptions.RequestException) or _of_boto(cause):
            return (
                f"MLflow at {where} does not answer ({_first_line(cause)}). Start it, or correct "
                f"MLFLOW_TRACKING_URI. {again}"
            )
        if isinstance(cause, (DBAPIError, sqlite3.Error)):
            return f"MLflow's database {where} cannot be used ({_first_line(cause)}). {again}"
    if isinstance(error, ModuleNotFoundError):
        return f"MLflow at {where} needs the package {error.name}: install it into .venv. {again}"
    if not isinstance(error, MlflowException):
        return None
    if type(error).__name__.endswith("StoreURIException"):
        return f"{where} is no address that MLflow knows. Correct MLFLOW_TRACKING_URI."
    if error.error_code in ("PERMISSION_DENIED", "UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED"):
        return (
            f"MLflow at {where} refused this user ({_first_line(error)}). Set "
            f"MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN. "
            f"{again}"
        )
    if "out-of-date database schema" in error.message:
        return (
            f"MLflow's database {where} was made by another version of MLflow. Keep a copy of it, "
            f"then run `mlflow db upgrade '{where}'`. {again}"
        )
    if error.message.startswith("API request to") or error.error_code == "TEMPORARILY_UNAVAILABLE":
        return (
            f"MLflow at {where} failed ({_first_line(error)}). See that an MLflow server runs "
            f"there, and what its log says. {again}"
        )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those behind it: MLflow often names a lost server only in its context."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _of_boto(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("botocore", "boto3")


def _first_line(error: BaseException) -> str:
    text = masked(str(getattr(error, "orig", None) or error).strip() or type(error).__name__)
    if system := re.search(r"\[Errno -?\d+\] ([^\"')]+)", text):
        return system.group(1)
    line = text.splitlines()[0]
    return line if len(line) <= 200 else line[:199] + "…"


def _calm(address: str) -> None:
    """MLflow and its libraries tell what matters to their makers; keep what matters to users."""
    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for logger, rule in (
        ("urllib3.connectionpool", _Retry(masked(address))),
        ("mlflow.utils.environment", _NoPip()),
    ):
        known = logging.getLogger(logger)
        known.filters = [f for f in known.filters if type(f) is not type(rule)] + [rule]


class _Retry(logging.Filter):
    """A line of urllib3's about an attempt, 300 characters long, says what is being waited for."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def filter(self, record: logging.LogRecord) -> bool:
        if str(record.msg).startswith("Retrying ("):
            record.msg, record.args = "MLflow at %s does not answer, trying again", (self.where,)
        return True


class _NoPip(logging.Filter):
    """An environment made by uv has no pip whose version MLflow could note; nothing is missing."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "installed pip version" not in str(record.msg)


def _sqlite_file(address: str) -> Path | None:
    if not address.startswith("sqlite:///") or ":memory:" in address:
        return None
    return Path(unquote(address.removeprefix("sqlite:///").partition("?")[0]))


def _check_or_make(file: Path) -> None:
    if file.exists():
        _check(file)
        return
    with FileLock(f"{file}.lock"):
        if not file.exists():
            _make(file)


def _check(file: Path) -> None:
    """MLflow tries ten times, over 100 s, to open a file that is no database."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as database:
        database.execute("SELECT count(*) FROM sqlite_master")


def _make(file: Path) -> None:
    import mlflow

    with replacing(file) as temporary:
        mlflow.MlflowClient(f"sqlite:///{quote(str(temporary.absolute()))}")
