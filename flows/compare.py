"""Two sets of predictions side by side: `reelflow compare A B`.

A side is a registered version, a run of MLflow, a revision of git, or what lies here. Each kept the
predictions of its test videos, `reports/predictions.csv`; those of the same videos are compared, by
their content. So nothing is predicted again, and no side is asked about a video that it learned
from.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelflow.base.csv_table import read_cells
from reelflow.base.errors import ReelflowError
from reelflow.base.files import write_text
from reelflow.evaluation.paired import Metric
from reelflow.params import load_section
from reelflow.params.evaluate import EvaluateParams
from reelflow.params.register import RegisterParams
from reelflow.registry.versions import run_of
from reelflow.reports import comparison
from reelflow.reports.comparison import Comparison, Side
from reelflow.store.clip_spec import Clip
from reelflow.store.frame_store import FrameStore
from reelflow.tracking.mlflow_client import (
    address_from_environment,
    connect,
    exists,
    masked,
    says_missing,
    sentences,
)
from reelflow.tracking.provenance import is_revision
from tasks.common.paths import FRAMES, PARAMS, PREDICTIONS, REPORT

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = REPORT.with_name("compare.html")
HERE, THIS = ".", "this checkout"
_COLUMNS = {"hash", "path", "label", "group", "predicted", "confidence"}
_RUN = re.compile(r"(?:runs:/)?([0-9a-f]{32})")
_VERSION = re.compile(r"models:/([^/@]+)(?:/(\d+)|@([^/@]+))")


class SideError(ReelflowError):
    """A side of the comparison cannot be found or has no predictions."""


def compare(first: str, second: str) -> Comparison:
    """Compare two sides on the test videos that both predicted, and write `reports/compare.html`.

    Args:
        first, second: `models:/NAME/VERSION`, `models:/NAME@ALIAS`, the number or alias of a
            version of this project's model, an id of a run of MLflow, a revision of git, a csv file
            like `reports/predictions.csv`, or `.` for that file here.

    Raises:
        SideError: a side is not there, has no predictions, or both have no video in common.
        UnavailableError, TrackingError: MLflow does not answer, or refuses.
    """
    evaluate = load_section(PARAMS, EvaluateParams)
    register = load_section(PARAMS, RegisterParams)
    metric: Metric = "accuracy" if register.metric == "accuracy" else "balanced_accuracy"
    one, other = _side(first, register.name), _side(second, register.name)
    found = comparison.make(one, other, metric, evaluate.confidence, evaluate.seed)
    if found is None:
        raise SideError(
            f"{first} and {second} have no test video in common, so they cannot be compared: "
            "each was tested on other videos."
        )
    write_text(PAGE, comparison.render(found, _clips()))
    return found


def _clips() -> Callable[[str], Clip | None]:
    """The frames of a video by its hash, None where they are not here."""
    if not FRAMES.is_dir():
        return lambda video: None
    store = FrameStore(FRAMES)
    return lambda video: store.shown(video) if video in store.index.index else None


def _side(name: str, model: str) -> Side:
    with tempfile.TemporaryDirectory(prefix="reelflow-") as scratch:
        file = _file(name, model, Path(scratch))
        try:
            table = read_cells(file)
            if missing := _COLUMNS - set(table.columns):
                raise SideError(
                    f"{name}: a table of predictions has the columns {', '.join(sorted(_COLUMNS))};"
                    f" missing: {', '.join(sorted(missing))}."
                )
            table = table.astype({"confidence": float})
        except ValueError as error:
            raise SideError(f"{name}: {file.name} cannot be read: {error}") from None
    called = THIS if name == HERE else f"version {name}" if name.isdecimal() else name
    return Side(called, table)


def _file(name: str, model: str, scratch: Path) -> Path:
    """The predictions of a side, as a file."""
    if name == HERE:
        if PREDICTIONS.is_file():
            return PREDICTIONS
        raise SideError(f"There is no {PREDICTIONS} here: run the pipeline first.")
    if Path(name).is_file():
        return Path(name)
    if run := _RUN.fullmatch(name):
        return _of_mlflow(name, scratch, run_id=run[1])
    if version := _VERSION.fullmatch(name):
        return _of_mlflow(name, scratch, model=version[1], version=version[2], alias=version[3])
    if name.isdecimal():
        return _of_mlflow(name, scratch, model=model, version=name)
    if is_revision(Path(), name):
        return _of_git(name, scratch)
    return _of_mlflow(name, scratch, model=model, alias=name)


def _of_mlflow(name: str, scratch: Path, *, run_id: str = "", **version: Any) -> Path:
    address = address_from_environment()
    nowhere = SideError(
        f"There is no {name}: neither a file, nor a revision of git, nor a version, an alias or a "
        f"run in MLflow at {masked(address)}."
    )
    if not exists(address):
        raise nowhere
    client = connect(address)
    with sentences(address):
        try:
            run_id = run_id or run_of(client, **version)
            return Path(client.download_artifacts(run_id, PREDICTIONS.as_posix(), str(scratch)))
        except Exception as error:
            if says_missing(error):
                raise nowhere from None
            raise


def _of_git(revision: str, scratch: Path) -> Path:
    """The predictions at a revision, from DVC's cache or remote."""
    import dvc.api
    from dvc.exceptions import DvcException

    try:
        text = dvc.api.read(PREDICTIONS.as_posix(), rev=revision, encoding="utf-8")
    except (DvcException, OSError) as error:
        raise SideError(
            f"{revision} is a revision of git, but its {PREDICTIONS} cannot be read ({error}). "
            "`dvc pull` fetches it where a remote has it."
        ) from None
    file = scratch / PREDICTIONS.name
    file.write_text(text, encoding="utf-8")
    return file
