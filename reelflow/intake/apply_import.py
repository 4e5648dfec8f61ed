"""Bringing labelled videos into the raw folder, linked and not copied, or removing them from it.

A video is hard-linked, and copied only across disks. With a ledger of what was brought, a second
call brings what is new, removes what is gone from the source, and refuses to touch anything that
came by another way.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from reelflow.base.errors import DataError
from reelflow.base.files import link_or_copy, remove_left_over, replacing, write_json
from reelflow.base.progress import track
from reelflow.intake.file_names import drop_empty_folders
from reelflow.intake.import_plan import Plan
from reelflow.intake.labelled_videos import CSV_NAME
from reelflow.intake.make_import_plan import brought
from reelflow.intake.videos_csv import known_videos, write_listing


def carry_out(plan: Plan, raw: Path, ledger: Path, *, copy: bool = False) -> None:
    """Carry out a plan.

    Args:
        plan: of `plan_import`, for the same `raw` and `ledger`.
        raw: the folder that the pipeline reads.
        ledger: as for `plan_import`.
        copy: copy instead of a hard link. (A hard-linked video becomes read-only: DVC protects
            what it has a version of.)

    Raises:
        DataError: the plan has obstacles.
    """
    if plan.obstacles:
        raise DataError(" ".join(plan.obstacles))
    former = brought(ledger)
    ours = former | set(plan.put) if plan.adding else set(plan.after)
    source = str(plan.source.origin.resolve())
    # Written first: after a kill the next call knows that it may replace these files.
    write_json(ledger, {"source": source, "files": sorted(former | ours)})
    remove_left_over(raw, below=True)
    # New files first: if the source cannot be read, nothing of what is there is lost.
    folders = {parent for name in plan.put for parent in PurePosixPath(name).parents}
    in_the_way = [name for name in plan.gone if PurePosixPath(name) in folders]
    for name in in_the_way:
        (raw / name).unlink()
    for name, path in track(plan.put.items(), len(plan.put), "linking videos"):
        put(path, raw / name, copy=copy)
    for name in set(plan.gone) - set(in_the_way):
        (raw / name).unlink()
    write_listing(raw, plan.after, keep=plan.adding)
    drop_empty_folders(raw)
    write_json(ledger, {"source": source, "files": sorted(ours)})


def remove(raw: Path, ledger: Path, names: Sequence[str]) -> None:
    """Remove files from `raw`, its `videos.csv` and the ledger.

    Args:
        raw, ledger: as for `plan_import`.
        names: of files in `raw`; `only_copies` checks whether any is the only copy.
    """
    gone = set(names)
    if (raw / CSV_NAME).is_file():
        left = {name: v for name, v in known_videos(raw).items() if name not in gone}
        write_listing(raw, left, keep=True)
    for name in names:
        (raw / name).unlink()
    drop_empty_folders(raw)
    if ledger.is_file():
        former = json.loads(ledger.read_text(encoding="utf-8"))
        write_json(ledger, {**former, "files": sorted(set(former["files"]) - gone)})


def put(source: Path, target: Path, *, copy: bool) -> None:
    """Make `target` have the bytes and the time of `source`, atomically; `copy` as for
    `carry_out`."""
    real = source.resolve()
    if copy:
        with replacing(target) as temporary:
            shutil.copyfile(real, temporary)
    else:
        link_or_copy(real, target)
    # Not of a link: the file may be somebody else's.
    if not target.samefile(real):
        shutil.copystat(real, target)
