"""Bringing videos into `data/raw` and out of it, with DVC told of it; or saying what would be.

A dry run holds no lock and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from flows.engine.run_lock import only_run
from flows.raw import SOURCE, allowed, cached, fetch, holds_sample, note, too_few
from reelflow.base.errors import DataError
from reelflow.base.terminal import printable
from reelflow.intake.apply_import import carry_out
from reelflow.intake.apply_import import remove as take_out
from reelflow.intake.import_plan import Plan
from reelflow.intake.labelled_videos import some
from reelflow.intake.plan_import import plan_import
from reelflow.intake.removal import meant
from reelflow.intake.same_bytes import only_copies
from reelflow.intake.source_forms import Form, Source, read_source
from tasks.common.paths import RAW, RAW_POINTER


def plan(
    origin: Path,
    form: Form,
    folder: Path | None,
    *,
    adding: bool,
    replacing: bool,
    skip_missing: bool,
) -> Plan:
    """What importing videos means for `data/raw`; nothing is written. Raises `ReelflowError`."""
    if adding and RAW_POINTER.is_file() and not RAW.exists():
        raise DataError(
            f"{RAW} is not here, so that nobody can say what would be new. Fetch it with `dvc "
            f"checkout {RAW_POINTER}` or `dvc pull {RAW_POINTER}`."
        )
    source: Source = read_source(origin, form, folder)
    if source.folder.resolve() == RAW.resolve():
        raise DataError(f"{origin} lies in {RAW} already: `reelflow run` runs on it.")
    found = plan_import(
        source,
        RAW,
        SOURCE,
        adding=adding,
        replacing=replacing or holds_sample(),
        skip_missing=skip_missing,
        **allowed(),
        kept=cached(),
    )
    found.shortage = "" if found.obstacles else too_few(found.after.values())
    return found


def import_videos(
    make_plan: Callable[[], Plan],
    show: Callable[[Plan], None],
    echo: Callable[[str], None],
    *,
    adding: bool,
    copy: bool,
) -> None:
    """Make a plan, show it, carry it out, tell DVC.

    Args:
        make_plan: calls `plan`; while no other run is at work.
        show: shows the plan to a person.
        echo: takes each sentence for a console.
        adding: whether what is in `data/raw` is needed.
        copy: as for `carry_out`.

    Raises:
        ReelflowError: the videos cannot be brought, or another run is at work.
    """
    with only_run():
        if adding:
            fetch(echo)
        found = make_plan()
        show(found)
        carry_out(found, RAW, SOURCE, copy=copy)
        note(echo)


def remove_videos(
    what: Sequence[str],
    form: Form,
    echo: Callable[[str], None],
    *,
    force: bool,
    dry_run: bool,
) -> None:
    """Remove videos from `data/raw`, or say which would be.

    Args:
        what: as for `meant`.
        form: as for `meant`.
        echo: takes each sentence for a console.
        force: remove files, too, of which there is no other copy.
        dry_run: only say it.

    Raises:
        DataError: something is not there, or, without `force`, would be lost for good.
    """
    if dry_run:
        _refuse_lost(_show(what, form, "would be removed", echo), force=force)
        return
    with only_run():
        fetch(echo)
        names = _show(what, form, "to be removed", echo)
        _refuse_lost(names, force=force)
        take_out(RAW, SOURCE, names)
        note(echo)
        echo(f"Removed {len(names)} files from {RAW}.")


def _show(what: Sequence[str], form: Form, how: str, echo: Callable[[str], None]) -> list[str]:
    names = meant(RAW, what, form)
    for name in names:
        echo(f"{how}: {printable(name)}")  # on one line, whatever it holds
    return names


def _refuse_lost(names: Sequence[str], *, force: bool) -> None:
    lost = [] if force else only_copies(RAW, names, cached())
    if lost:
        raise DataError(
            f"There is no other copy of {len(lost)} of these files ({some(lost)}): neither in "
            "DVC's cache nor under another name. Nothing was removed. `--force` removes them for "
            "good."
        )
