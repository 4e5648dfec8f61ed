"""Videos into `data/raw` and out of it, for `run`, `import`, `remove` and `retrain` (the inbox).

Each puts its result under DVC. After the first `dvc add`, DVC finds by itself what changed in the
folder whenever the graph runs. A dry run holds no lock and writes nothing.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path

from flows.engine.dvcignore import allowed, guard
from flows.engine.raw_in_dvc import add, cached, fetch, note
from flows.engine.run_lock import only_run
from reelflow.base.errors import DataError
from reelflow.base.files import write_json
from reelflow.base.terminal import printable
from reelflow.base.words import count, some
from reelflow.dataset.enough_to_start import shortage
from reelflow.intake.apply_import import carry_out
from reelflow.intake.apply_import import remove as take_out
from reelflow.intake.file_names import files_in
from reelflow.intake.import_plan import Plan
from reelflow.intake.inbox import SETTLE_S, InboxReport, take
from reelflow.intake.labelled_videos import LabelledVideo, with_group
from reelflow.intake.make_import_plan import plan_import
from reelflow.intake.quarantine import sentences
from reelflow.intake.read_folder_or_csv import Form, list_videos, read_source
from reelflow.intake.removal import meant
from reelflow.intake.same_bytes import only_copies
from reelflow.intake.scan_folder import let_through
from reelflow.intake.videos_csv import known_videos
from reelflow.params import load_section
from reelflow.params.ingest import IngestParams
from reelflow.params.validate import ValidateParams
from tasks.common.paths import INBOX, PARAMS, RAW, RAW_POINTER, STATE

# What was brought into data/raw, so that another source may replace it.
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
        ReelflowError: the videos cannot be used or found; the text gives reason and remedy.
    """
    with only_run():
        if data is not None:
            _bring(data, echo, copy=copy, replacing=replacing)
        elif not files_in(RAW):
            _make_sample(echo)
        odd = guard(echo)
        few = "" if data else too_few(let_through(known_videos(RAW).values(), odd))
        if few:
            raise DataError(few)
        if not RAW_POINTER.exists():
            add(echo)


def _bring(data: Path, echo: Callable[[str], None], *, copy: bool, replacing: bool) -> None:
    """Bring nothing that the pipeline cannot run on, and show what goes for it."""
    if (data.parent if data.is_file() else data).resolve() == RAW.resolve():
        echo(f"{RAW} holds {count(len(list_videos(RAW)), 'video')}.")
        return
    found = plan(data, replacing=replacing)
    for sentence in sentences(found.aside):
        echo(f"set aside in {data}: {sentence}")
    if found.shortage:
        raise DataError(found.shortage)
    if not found.obstacles:
        for loss in found.losses():
            echo(f"{RAW}: {loss}.")
    carry_out(found, RAW, SOURCE, copy=copy)
    echo(
        f"{RAW} holds the videos of {data}: {len(found.put)} new, {found.there} known, "
        f"{len(found.gone)} taken out."
    )


def holds_sample() -> bool:
    """Whether what was brought is the sample, which anybody can have again."""
    return SOURCE.is_file() and json.loads(SOURCE.read_text("utf-8"))["source"] == _SAMPLE


def too_few(videos: Iterable[LabelledVideo]) -> str:
    """Why the stages would stop on so few videos; empty if they would not."""
    ingest = load_section(PARAMS, IngestParams)
    grouped = [with_group(video, ingest.group_pattern) for video in videos]
    return shortage(grouped, ingest, load_section(PARAMS, ValidateParams))


def plan(
    origin: Path,
    form: Form | None = None,
    folder: Path | None = None,
    *,
    adding: bool = False,
    replacing: bool = False,
    skip_missing: bool = False,
) -> Plan:
    """What importing videos means for `data/raw`; nothing is written. Raises `ReelflowError`."""
    if adding and RAW_POINTER.is_file() and not RAW.exists():
        raise DataError(
            f"{RAW} is not here, so that nobody can know what would be new. Fetch it with `dvc "
            f"checkout {RAW_POINTER}` or `dvc pull {RAW_POINTER}`."
        )
    source = read_source(origin, form, folder)
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
    """Make a plan, show it, carry it out, and put the result under DVC.

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
    what: Sequence[str], form: Form, echo: Callable[[str], None], *, force: bool, dry_run: bool
) -> None:
    """Remove videos from `data/raw`, or list those that would be removed.

    Args:
        what: as for `meant`.
        form: as for `meant`.
        echo: takes each sentence for a console.
        force: remove files, too, of which there is no other copy.
        dry_run: only list them.

    Raises:
        DataError: something is not there, or, without `force`, would be lost for good.
    """
    with nullcontext() if dry_run else only_run():
        if not dry_run:
            fetch(echo)
        names = meant(RAW, what, form)
        for name in names:
            how = "would be removed" if dry_run else "to be removed"
            echo(f"{how}: {printable(name)}")  # on one line, whatever it holds
        lost = [] if force else only_copies(RAW, names, cached())
        if lost:
            raise DataError(
                f"There is no other copy of {len(lost)} of these files ({some(lost)}): neither in "
                "DVC's cache nor under another name. Nothing was removed. `--force` removes them "
                "for good."
            )
        if not dry_run:
            take_out(RAW, SOURCE, names)
            note(echo)
            echo(f"Removed {len(names)} files from {RAW}.")


def take_in(line: Callable[[str], None], settle_s: float = SETTLE_S) -> InboxReport:
    """Take new labelled videos from `data/inbox` into `data/raw`, once, and put them under DVC.

    Args:
        line: takes a sentence for each file that was taken or left.
        settle_s: videos that changed less than this many seconds ago are left for the next time.

    Raises:
        ReelflowError: another run is at work, `data/raw` cannot be fetched, DVC fails.
        OSError: the disk is full or read-only; the same call goes on later.
    """
    with only_run():
        fetch(line)
        guard(line)
        report = take(INBOX, RAW, now=time.time(), settle_s=settle_s, **allowed())
        for path in report.new:
            line(printable(f"taken: {path}"))
        for path, reason in report.left:
            line(printable(f"left in {INBOX}: {path}: {reason}"))
        note(line)
        return report


def _make_sample(echo: Callable[[str], None]) -> None:
    if RAW_POINTER.exists():
        raise DataError(
            f"{RAW} is empty, but {RAW_POINTER} records videos. Fetch them with "
            f"`dvc pull {RAW_POINTER}` (from a remote) or `dvc checkout {RAW_POINTER}` (from this "
            f"machine's cache). To start anew instead, remove {RAW_POINTER}."
        )
    from reelflow.sample import write_sample

    echo(f"{RAW} is empty: making sample videos.")
    # Made elsewhere and moved in one step: half a sample must never be taken for somebody's videos.
    made = STATE / "sample"
    shutil.rmtree(made, ignore_errors=True)
    echo(write_sample(made))
    files = [p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()]
    write_json(SOURCE, {"source": _SAMPLE, "files": sorted(files)})
    RAW.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(RAW, ignore_errors=True)
    made.rename(RAW)
