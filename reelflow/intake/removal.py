"""Which files of the raw folder a person wants to remove."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from reelflow.base.errors import DataError
from reelflow.base.terminal import printable
from reelflow.base.words import nearest, some
from reelflow.intake.file_names import files_in
from reelflow.intake.labelled_videos import CSV_NAME
from reelflow.intake.read_folder_or_csv import Form, csv_paths


def meant(raw: Path, what: Sequence[str], form: Form | None = None) -> list[str]:
    """The names, relative to `raw`, of the files that are meant.

    Args:
        raw: the folder that the pipeline reads.
        what: files and folders, from `raw` on or from here on; or csvs that name files.
        form: which column of a csv, or which template of columns, names them.

    Raises:
        DataError: something is not in `raw`, or outside of it.
    """
    present = files_in(raw) - {CSV_NAME} if raw.is_dir() else set()
    # A name with control characters is printed with escapes, and accepted in that form, too.
    shown = {printable(name): name for name in present if not name.isprintable()}
    names: set[str] = set()
    for item in what:
        path = Path(item)
        if path.suffix.lower() == ".csv" and path.is_file():
            wanted = csv_paths(path, raw, form or Form())
        else:
            wanted = [item]
        unknown = []
        for one in wanted:
            found = _below(raw, shown.get(one, one), present)
            names.update(found)
            if not found:
                unknown.append(one)
        if unknown:
            raise DataError(
                f"{len(unknown)} of {len(wanted)} are not in {raw} ({some(unknown)})."
                f"{nearest(unknown[0], present)} Nothing was removed."
            )
    return sorted(names)


def _below(raw: Path, item: str, present: set[str]) -> list[str]:
    for start in (raw, Path()):
        name = os.path.relpath(os.path.normpath(start / item), raw)
        if name in present:
            return [name]
        inside = [other for other in present if other.startswith(f"{name}/")]
        if inside:
            return inside
    return []
