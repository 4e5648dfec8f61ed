"""`data/raw` in DVC: add it, note what changed in it, fetch it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from flows.engine import stage_process
from flows.engine.dvcignore import allowed, guard
from flows.engine.why_stages_run import changes
from reelflow.base.errors import DataError, ReelflowError
from reelflow.base.files import digest_of
from tasks.common.dvc_outputs import cache_folder, cached_file
from tasks.common.paths import RAW, RAW_POINTER


def add(echo: Callable[[str], None]) -> None:
    """`dvc add data/raw`."""
    if fault := _fault("add", RAW):
        raise ReelflowError(f"DVC cannot add {RAW}: {fault}")
    echo(f"{RAW} is in DVC now ({RAW_POINTER}).")


def note(echo: Callable[[str], None]) -> None:
    """`dvc add data/raw` if DVC does not know yet what is in it."""
    guard()
    # DVC is asked: a run that was killed before this line may have brought files, too.
    if RAW.exists() and (not RAW_POINTER.is_file() or changes(RAW_POINTER.as_posix())):
        add(echo)


def fetch(line: Callable[[str], None]) -> None:
    """Fetch a `data/raw` that DVC tracks and this checkout lacks.

    Otherwise a fresh clone would take the new videos for the whole set, and so would DVC.
    """
    if RAW.exists() or not RAW_POINTER.is_file():
        return
    line(f"{RAW} is not here: fetching what {RAW_POINTER} names.")
    # From the cache of this machine, else from the remote.
    if _fault("checkout", RAW_POINTER) and (fault := _fault("pull", RAW_POINTER)):
        raise DataError(
            f"{RAW} is not here and DVC cannot fetch it ({fault}). Without it the inbox would be "
            "taken for all there is. Name the remote (`dvc remote add`) and run `dvc pull`."
        )


def _fault(verb: str, path: Path) -> str:
    """Why DVC cannot do this with a path; empty once it has done it."""
    lines: list[str] = []
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", verb, str(path)]
    failed = stage_process.run_lines(command, lines.append)
    text = " ".join(line.strip() for line in lines)
    return text.rpartition("ERROR: ")[2] or f"exit status {failed}" if failed else ""


def cached() -> Callable[[Path], bool]:
    """A function that is true of files whose bytes DVC's cache on this machine holds."""
    folder, most_bytes = cache_folder(), allowed()["most_bytes"]

    def holds(path: Path) -> bool:
        if path.stat().st_size > most_bytes:  # kept from DVC, and not to be read to its end
            return False
        return cached_file(folder, digest_of(path, "md5")).is_file()

    return holds
