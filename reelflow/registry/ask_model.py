"""Asking a registered model about videos, with its own code, in a process of its own.

`asking` gets a model from MLflow (or a folder) and answers file by file. The process starts before
the model is fetched: importing MLflow takes two seconds on both sides, and so they overlap.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from reelflow.base.errors import ReelflowError, ended_by
from reelflow.registry import model_process
from reelflow.tracking.mlflow_client import (
    DATABASE,
    TrackingError,
    address_from_environment,
    client_from_environment,
    exists,
    masked,
    says_missing,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"


class ModelError(ReelflowError):
    """There is no such model, or it cannot be loaded."""


@dataclass(frozen=True)
class Answer:
    """What a model predicts for one video.

    Attributes:
        path: the file, as it was asked about.
        label: the most probable label; None if the video cannot be used.
        confidence: its probability.
        probabilities: of every label, in the model's order; empty if there is an error.
        caution: why not to rely on the answer, in a sentence: the video is unlike any of training.
        error: why the video cannot be used and what to do, in a sentence or two.
    """

    path: str
    label: str | None = None
    confidence: float | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    caution: str | None = None
    error: str | None = None


class AskedModel:
    """A loaded model. Attributes: `source`, where it came from; `labels`, in its order; `folder`,
    its files, while the `with` lasts."""

    def __init__(self, source: str, folder: Path, process: _Process) -> None:
        self.source = source
        self.folder = folder
        self._process = process
        self._load()

    def _load(self) -> None:
        try:
            self.labels: list[str] = self._process.ask(str(self.folder))
        except _EndedError as ended:
            raise ModelError(f"{self.source} cannot be loaded: {ended}") from None
        if not self.labels:
            raise ModelError(f"{self.source} was not registered by Reelflow: it has no labels.")

    def answer(self, path: str | Path) -> Answer:
        """Ask about one file. An unusable video is an answer with an `error`.

        Raises:
            ModelError: the model itself broke.
        """
        try:
            found: dict[str, Any] = self._process.ask(str(Path(path).absolute()))
        except _KilledError as killed:
            self._process.start()
            self._load()
            return Answer(str(path), error=f"It cannot be used: {killed} Leave it out.")
        except _EndedError as ended:
            raise ModelError(f"{self.source} broke on {path}: {ended}") from None
        names = {label: f"p_{label}" for label in self.labels}
        chances = {label: found[name] for label, name in names.items() if name in found}
        others = ("label", "confidence", "caution", "error")
        return Answer(str(path), probabilities=chances, **{n: found.get(n) for n in others})


@contextmanager
def asking(model: str) -> Iterator[AskedModel]:
    """Load a model for the time of a `with`.

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION` or another address that the MLflow of
            the environment can load, or a folder that holds a model.

    Raises:
        UnavailableError, TrackingError: there is no MLflow, it does not answer, or refuses.
        ModelError: there is no such model, or it cannot be loaded.
    """
    registered, address, folder = ":/" in model, address_from_environment(), Path(model)
    if registered and not exists(address):
        raise TrackingError(
            f"There is no MLflow here: {Path.cwd()} holds no {DATABASE}, and MLFLOW_TRACKING_URI "
            "is not set. Run this in the top folder of a project whose pipeline has run."
        )
    if not registered and not (folder / "MLmodel").is_file():
        raise ModelError(
            f"{model} is no folder that holds a model (a file named MLmodel). A registered model "
            "is written models:/NAME@ALIAS or models:/NAME/VERSION."
        )
    with tempfile.TemporaryDirectory(prefix="reelflow-model-") as scratch, _Process() as process:
        if registered:
            with client_from_environment() as client:
                model = _exact(client, model, masked(address))
                folder = _fetch(model, masked(address), Path(scratch))
        yield AskedModel(model, folder, process)


def _fetch(model: str, where: str, into: Path) -> Path:
    """A local folder that holds a model of MLflow."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        folder = Path(download_artifacts(artifact_uri=model, dst_path=str(into)))
        fault = "" if (folder / "MLmodel").is_file() else "its files are gone"
    except (MlflowException, OSError) as error:
        if not says_missing(error):
            raise
        fault = str(error)
    if fault:
        raise ModelError(
            f"{model} cannot be fetched from {where}: {fault}. If it once could, the project's "
            "folder was moved or its MLflow files were deleted: run the pipeline again."
        )
    return folder


def _exact(client: MlflowClient, model: str, where: str) -> str:
    """`models:/NAME/VERSION` for an alias; raises `ModelError` if the registry has no such one."""
    form = re.fullmatch(r"models:/([^/@]+)(?:@([^/@]+)|/(\d+))", model)
    if form is None:
        return model
    name, alias, version = form.groups()
    found = client.search_model_versions(f"name = '{name.replace(chr(39), '')}'")
    if not found:
        raise ModelError(
            f"No model named {name} is registered at {where}: run the pipeline first, or name "
            "another model."
        )
    versions = sorted(int(one.version) for one in found)
    wanted = client.get_registered_model(name).aliases.get(alias) if alias else version
    if wanted is not None and int(wanted) in versions:
        return f"models:/{name}/{wanted}"
    how = ""
    if alias == CHAMPION:
        how = (
            " A model becomes the champion when the pipeline registers it, and the test shows what "
            "the settings `register` ask for: the version's description names what it lacks. Or "
            "give the alias `champion` to a version by hand in the MLflow UI."
        )
    what, known = f"{alias} yet" if alias else f"version {version}", ", ".join(map(str, versions))
    raise ModelError(
        f"{name} has no {what}; its versions are {known}.{how} Name one as "
        f"models:/{name}/{versions[-1]}."
    )


class _EndedError(Exception):
    """The process ended without an answer, by an error of its own."""


class _KilledError(_EndedError):
    """A signal ended the process: a decoder crashed, or the system is short of memory."""


class _Process:
    """`model_process.py`, running; ended when the `with` ends, however it ends."""

    def __enter__(self) -> _Process:
        self._messages: IO[bytes] = tempfile.TemporaryFile()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._messages.close()

    def start(self) -> None:
        # -P: the folder of the script, which is today's package, stays out of the search path.
        self._process = subprocess.Popen(
            [sys.executable, "-P", model_process.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            encoding="ascii",
        )

    def ask(self, question: str) -> Any:
        """Send a line, return the line that answers it, or raise `_EndedError`."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            print(json.dumps(question), file=process.stdin, flush=True)
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            return json.loads(line)
        status = process.wait()
        if status < 0:
            raise _KilledError(f"its process {ended_by(-status)}.")
        self._messages.seek(0)
        lines = self._messages.read().decode("utf-8", "replace").strip().splitlines()
        raise _EndedError(lines[-1] if lines else f"exit status {status}")
