"""Where the labelled videos of a run come from: the user's own, those in `data/raw`, or samples.

Puts them into `data/raw` and under DVC (`data/raw.dvc`). After the first `dvc add`, DVC notices by
itself what changed in the folder whenever the graph is run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TypedDict

from flows.engine import stage_process
from flows.engine.dvc_graph import changes
from flows.engine.raw_gate import guard
from flows.engine.run_lock import only_run
from reelflow.base.errors import DataError, ReelflowError
from reelflow.base.files import write_json
from reelflow.dataset.shortages import shortage
from reelflow.intake.apply_import import bring
from reelflow.intake.gate import let_through
from reelflow.intake.import_plan import Plan
from reelflow.intake.labelled_videos import LabelledVideo, with_group
from reelflow.intake.quarantine import sentences
from reelflow.intake.videos_csv import known_videos
from reelflow.params import load_section
from reelflow.params.ingest import IngestParams
from reelflow.params.validate import ValidateParams
from tasks.common.paths import PARAMS, RAW, RAW_POINTER, STATE

# What `bring` put into data/raw, so that another source may replace it.
SOURCE = STATE / "source.json"
_SAMPLE = "sample"


def provide(data: Path | None, *, copy: bool, replacing: bool, echo: Callable[[str], None]) -> None:
    """Make `data/raw` hold the videos of the run, under DVC.

    Args:
        data: the user's labelled videos; None for what is in `data/raw`, or samples if it is empty.
        copy: copy the user's videos instead of linking them.
        replacing: what another source brought may go for them.
        echo: takes each sentence for a console.

    Raises:
        ReelflowError: the videos cannot be used or found; the text says why and what to do.
    """
    with only_run():
        if data is not None:
            brought = bring(
                data,
                RAW,
                SOURCE,
                copy=copy,
                replacing=replacing or holds_sample(),
                **allowed(),
                kept=cached(),
                look=lambda plan: _look(plan, echo),
            )
            echo(
                f"{RAW} holds the videos of {data}: {brought.new} new, {brought.kept} known, "
                f"{brought.removed} taken out."
            )
        elif not _holds_files(RAW):
            _make_sample(echo)
        odd = guard(echo)
        few = "" if data else too_few(let_through(known_videos(RAW).values(), odd))
        if few:
            raise DataError(few)
        if not RAW_POINTER.exists():
            add(echo)


def _look(plan: Plan, echo: Callable[[str], None]) -> None:
    """Of what cannot be run on, nothing is brought; what goes for it is said."""
    for sentence in sentences(plan.aside):
        echo(f"set aside in {plan.source.origin}: {sentence}")
    few = "" if plan.obstacles else too_few(plan.after.values())
    if few:
        plan.obstacles.append(few)
    if not plan.obstacles:
        for loss in plan.losses():
            echo(f"{RAW}: {loss}.")


def holds_sample() -> bool:
    """Whether what was brought is the sample, which anybody can have again."""
    return SOURCE.is_file() and json.loads(SOURCE.read_text("utf-8"))["source"] == _SAMPLE


def too_few(videos: Iterable[LabelledVideo]) -> str:
    """Why the stages would stop on so few videos; empty if they would not."""
    ingest = load_section(PARAMS, IngestParams)
    if ingest.group_pattern:
        pattern = re.compile(ingest.group_pattern)
        videos = (with_group(video, pattern) for video in videos)
    return shortage(list(videos), ingest, load_section(PARAMS, ValidateParams))


class Allowed(TypedDict):
    """What may be read of a folder of videos, as `plan_import` and `take` have it."""

    links_to: list[Path]
    most_bytes: int


def allowed() -> Allowed:
    """What params.yaml allows to be read of videos that come in."""
    params = load_section(PARAMS, IngestParams)
    folders = [Path(folder) for folder in params.links_to]
    return {"links_to": folders, "most_bytes": params.most_bytes}


def add(echo: Callable[[str], None]) -> None:
    """`dvc add data/raw`."""
    lines: list[str] = []
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "add", str(RAW)]
    if stage_process.run_lines(command, lines.append):
        said = " ".join(line.strip() for line in lines).rpartition("ERROR: ")[2]
        raise ReelflowError(f"DVC could not take {RAW} under its care: {said}")
    echo(f"{RAW} is under DVC's care ({RAW_POINTER}).")


def note(echo: Callable[[str], None]) -> None:
    """`dvc add data/raw` where DVC does not know yet what is in it."""
    guard()
    # Asked, not concluded from what was done: a run that was killed before this did it already.
    if RAW.exists() and (not RAW_POINTER.is_file() or changes(RAW_POINTER.as_posix())):
        add(echo)


def fetch(line: Callable[[str], None]) -> None:
    """Fetch a `data/raw` that DVC tracks and this checkout lacks.

    Without it a fresh clone would take what is added for the whole set, and DVC would note
    just that.
    """
    if RAW.exists() or not RAW_POINTER.is_file():
        return
    line(f"{RAW} is not here: fetching what {RAW_POINTER} names.")
    said: list[str] = []
    for verb in ("checkout", "pull"):  # from the cache of this machine, else from the remote
        command = [sys.executable, "-m", "dvc", "--wait-for-lock", verb, str(RAW_POINTER)]
        if not stage_process.run_lines(command, said.append):
            return
    raise DataError(
        f"{RAW} is not here and DVC cannot fetch it ({' '.join(said[-2:])}). Without it the inbox "
        f"would be taken for all there is. Name the remote (`dvc remote add`) and run `dvc pull`."
    )


def cached() -> Callable[[Path], bool]:
    """A function that tells whether DVC's cache on this machine holds the bytes of a file."""

    @cache
    def folder() -> Path:
        from dvc.repo import Repo

        return Path(Repo(".").cache.local.path)

    most_bytes = allowed()["most_bytes"]

    def holds(path: Path) -> bool:
        if path.stat().st_size > most_bytes:  # kept from DVC, and not to be read to its end
            return False
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "md5").hexdigest()
        return (folder() / digest[:2] / digest[2:]).is_file()

    return holds


def _holds_files(folder: Path) -> bool:
    return any(names for _, _, names in os.walk(folder))


def _make_sample(echo: Callable[[str], None]) -> None:
    if RAW_POINTER.exists():
        raise DataError(
            f"{RAW} is empty, but {RAW_POINTER} says that there were videos. Fetch them with "
            f"`dvc pull {RAW_POINTER}` (from a remote) or `dvc checkout {RAW_POINTER}` (from this "
            f"machine's cache). To start anew instead, remove {RAW_POINTER}."
        )
    from reelflow.sample import write_sample

    echo(f"{RAW} is empty: making sample videos.")
    # Made elsewhere and moved in one step: half a sample must never be taken for somebody's videos.
    made = STATE / "sample"
    shutil.rmtree(made, ignore_errors=True)
    echo(str(write_sample(made)))
    files = [p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()]
    write_json(SOURCE, {"source": _SAMPLE, "files": sorted(files)})
    RAW.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(RAW, ignore_errors=True)
    made.rename(RAW)
