"""What nobody may read of `data/raw` is kept from DVC.

DVC follows links, puts the files that they lead to into its cache and makes them read-only. It
waits for pipes, hashes files of any size, and stops at names that are no UTF-8. So each entry that
`reelflow.intake.scan_folder` sets aside gets a line in `data/.dvcignore`: of this machine, in no
commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from reelflow.base.errors import DataError, VideoError
from reelflow.base.files import write_text
from reelflow.intake.labelled_videos import CSV_NAME
from reelflow.intake.quarantine import sentences
from reelflow.intake.scan_folder import set_aside
from reelflow.params import load_section
from reelflow.params.ingest import IngestParams
from reelflow.video.process_limits import Bounds
from tasks.common.paths import PARAMS, RAW, RESERVED

IGNORED = RAW.parent / ".dvcignore"
_HEAD = f"# What DVC must not read of {RAW}: written before each run, for this machine alone.\n"
# DVC compares each file with each line: 500 lines cost a millisecond a file.
_MOST = 500


def allowed() -> dict[str, Any]:
    """What params.yaml allows to be read of videos that come in: arguments of `set_aside`,
    `plan_import` and `take`."""
    params = load_section(PARAMS, IngestParams)
    return {
        "links_to": [Path(folder) for folder in params.links_to],
        "most_bytes": Bounds(file_gb=params.max_file_gb).most_bytes,
    }


def guard(line: Callable[[str], None] = lambda _: None) -> list[VideoError]:
    """Keep from DVC what nobody may read of `data/raw`. Call it before DVC reads the folder.

    Args:
        line: takes a sentence for each of the first entries that are set aside.

    Returns:
        What is set aside, as from `set_aside`.

    Raises:
        DataError: `data/raw` is a link, its `videos.csv` cannot be read, or DVC cannot be kept from
            an entry.
        ParamsError: params.yaml is wrong.
    """
    if RAW.is_symlink():
        raise DataError(
            f"{RAW} is a link, and DVC does not follow it. Remove the link, and bring the videos "
            f"with `reelflow run --data {RAW.readlink()}`."
        )
    odd = set_aside(RAW, **allowed(), reserved=RESERVED)
    _refuse(odd)
    _write(error.path for error in odd)
    for sentence in sentences(odd):
        line(f"set aside in {RAW}: {sentence}")
    return odd


def _refuse(odd: list[VideoError]) -> None:
    for error in odd:
        if error.path == CSV_NAME:
            raise DataError(f"{RAW / CSV_NAME}: {error.reason} {error.remedy}")
        if Path(error.path).name == ".dvc":
            raise DataError(
                f"{RAW / error.path} makes DVC pass over the whole folder that it is in. Rename "
                "it, or remove it."
            )
    if len(odd) > _MOST:
        raise DataError(
            f"{len(odd)} entries of {RAW} cannot be used, too many to be kept from DVC one by one: "
            f"{' '.join(sentences(odd))}. Remove them."
        )


def _write(names: Iterable[str]) -> None:
    lines = [f"/{RAW.name}/{pattern(name)}\n" for name in names]
    if not lines:
        IGNORED.unlink(missing_ok=True)
        return
    text = _HEAD + "".join(lines)
    if not IGNORED.is_file() or IGNORED.read_text(encoding="utf-8") != text:
        write_text(IGNORED, text)


def pattern(path: str) -> str:
    """The pattern of `.dvcignore` that means this very path.

    The file is UTF-8, and DVC strips its lines. So a line end is written as "none of the other
    characters", and a byte that is not UTF-8 as "no valid character".
    """
    return "".join(map(_quoted, path))


def _quoted(c: str) -> str:
    if "\ud800" <= c <= "\udfff":
        return "[!\x01-\ud7ff\ue000-\U0010ffff]"
    if c in "\r\n":
        return f"[!\x01-{chr(ord(c) - 1)}{chr(ord(c) + 1)}-\U0010ffff]"
    if c.isspace():
        return f"[{c}]"
    return c if c.isalnum() or c in "/._-" else f"\\{c}"
