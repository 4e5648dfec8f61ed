"""A client of MLflow, its address, and errors in sentences.

Without an address MLflow keeps everything in `mlflow.db` of the current folder (SQLite) and files
in `mlruns/`, which is also where a plain `mlflow ui` looks. Two things differ from plain MLflow.
Its database is made under another name first, since a kill during its first migration (3 s) leaves
a file that MLflow can never open again. And requests to a server that does not answer are repeated
for half a minute, not for four.
"""

from __future__ import annotations

import errno
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

from reelflow.base.errors import ReelflowError, UnavailableError
from reelflow.base.files import replacing

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE = "mlflow.db"
AGAIN = "What was computed is kept: run the same command again."

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
    """MLflow refuses, or its database cannot be used."""


def address_from_environment() -> str:
    """`MLFLOW_TRACKING_URI`, or the SQLite database in the current folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{quote(str(Path.cwd()))}/{DATABASE}"


def exists(address: str) -> bool:
    """False for a SQLite file that is not there; true for any other address."""
    file = _sqlite_file(address)
    return file is None or file.exists()


def connect(address: str) -> MlflowClient:
    """Return a client of the MLflow at `address` and make it the current one of this process.

    A SQLite database that is not there is made, whole or not at all, also when two processes
    come at once.

    Raises:
        UnavailableError, TrackingError: as `sentences`.
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
def client_from_environment() -> Iterator[MlflowClient]:
    """A client of the MLflow that the environment names, with errors as those of `sentences`."""
    address = address_from_environment()
    client = connect(address)
    with sentences(address):
        yield client


def experiment_from_environment(client: MlflowClient) -> str:
    """The id of the experiment `MLFLOW_EXPERIMENT_NAME`, or `reelflow`; made if it is not there.

    Raises:
        TrackingError: it is deleted.
    """
    from mlflow.exceptions import MlflowException

    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "reelflow"
    try:
        return str(client.create_experiment(name))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    found = client.get_experiment_by_name(name)
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"The MLflow experiment {name} is deleted. Bring it back with `mlflow experiments "
            f"restore -x {found.experiment_id}`, or set MLFLOW_EXPERIMENT_NAME to another name."
        )
    return str(found.experiment_id)


@contextmanager
def sentences(address: str) -> Iterator[None]:
    """Turn an error that a person can mend, or that may pass, into a `ReelflowError`.

    Raises:
        UnavailableError: the server does not answer, or the database is locked.
        TrackingError: MLflow refuses, or its database cannot be used.
        Exception: whatever else goes wrong inside, as it is.
    """
    try:
        yield
    except ReelflowError:
        raise
    except Exception as error:
        found = _reelflow_error(address, error)
        if found is None:
            raise
        raise found from error


def masked(address: str) -> str:
    """The address without a password that it may carry."""
    return re.sub(r"//[^/@]*@", "//***@", address)


def _reelflow_error(address: str, error: BaseException) -> ReelflowError | None:
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import DatabaseError, IntegrityError

    where = masked(address)
    for cause in _chain(error):
        message = _first_line(cause)
        of_boto = type(cause).__module__.startswith(("botocore", "boto3"))
        if of_boto or isinstance(cause, requests.exceptions.RequestException):
            return UnavailableError(
                f"MLflow at {where} does not answer ({message}). Start it, or correct "
                f"MLFLOW_TRACKING_URI. {AGAIN}"
            )
        if isinstance(cause, (IntegrityError, sqlite3.IntegrityError)):
            return None  # a rule of MLflow's tables was broken: a mistake of ours
        if isinstance(cause, (DatabaseError, sqlite3.Error)):
            kind = UnavailableError if "locked" in message else TrackingError
            return kind(f"MLflow's database {where} cannot be used ({message}). {AGAIN}")
    message = _first_line(error)
    if isinstance(error, ModuleNotFoundError):
        return TrackingError(f"MLflow at {where} needs the package {error.name}: install it.")
    if type(error).__name__.endswith("StoreURIException"):
        return TrackingError(f"MLflow knows no address like {where}. Correct MLFLOW_TRACKING_URI.")
    if isinstance(error, MlflowException):
        return TrackingError(
            f"MLflow at {where} refuses ({message}). Check MLFLOW_TRACKING_USERNAME and "
            f"MLFLOW_TRACKING_PASSWORD, and the log of the MLflow server. {AGAIN}"
        )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes: MLflow often names a lost server only in the context."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _first_line(error: BaseException) -> str:
    text = masked(str(getattr(error, "orig", None) or error).strip() or type(error).__name__)
    if system := re.search(r"\[Errno -?\d+\] ([^\"')]+)", text):
        return system.group(1)
    line = text.splitlines()[0]
    return line if len(line) <= 200 else line[:199] + "…"


def _calm(address: str) -> None:
    """Keep of the log of MLflow and its libraries what matters to users."""
    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It warns where there is no pip, as in an environment that uv made; nothing is missing then.
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)

    where = masked(address)

    def shorten(record: logging.LogRecord) -> bool:
        """Shorten the line of urllib3 on an attempt, 300 characters that do not mention MLflow."""
        if str(record.msg).startswith("Retrying ("):
            record.msg, record.args = "MLflow at %s does not answer, trying again", (where,)
        return True

    logging.getLogger("urllib3.connectionpool").filters = [shorten]


def _sqlite_file(address: str) -> Path | None:
    if not address.startswith("sqlite:///") or ":memory:" in address:
        return None
    return Path(unquote(address.removeprefix("sqlite:///").partition("?")[0]))


def _check_or_make(file: Path) -> None:
    import mlflow

    if file.exists():
        # Raises at once if it is no database; MLflow would try ten times, over 100 s.
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as database:
            database.execute("SELECT count(*) FROM sqlite_master")
        return
    with FileLock(f"{file}.lock"):
        if not file.exists():
            with replacing(file) as temporary:
                mlflow.MlflowClient(f"sqlite:///{quote(str(temporary.absolute()))}")


def says_missing(error: BaseException) -> bool:
    """Whether MLflow means that there is no such thing; for files it raises a bare OSError."""
    if isinstance(error, OSError):
        return error.errno in (None, errno.ENOENT)
    missing = ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "INVALID_PARAMETER_VALUE")
    return getattr(error, "error_code", None) in missing
