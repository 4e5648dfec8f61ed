"""The official split of a data set that comes as lists of files beside the videos.

trainlist01.txt               Biking/v_Biking_g08_c01.avi 11        (UCF101: all are training)
brush_hair_test_split1.txt    April_09_brush_hair_….avi 1           (HMDB51: the code is the split)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from glob import glob
from pathlib import Path, PurePosixPath

from reelflow.base.errors import DataError
from reelflow.base.split_names import SPLITS
from reelflow.base.words import some


def read_split_lists(
    lists: Sequence[str], paths: Sequence[str]
) -> tuple[dict[str, str], list[str]]:
    """The split of videos according to lists.

    Args:
        lists: `FILE`, a name and a code a line; or `train=FILE` (`validation=`, `test=`), in which
            a code is passed over. `~` and `*` are expanded.
        paths: of the videos, relative to their folder. A list may name a video by the end of its
            path; where several end so, by that whose class the list is named after.

    Returns:
        The code or the split by path, and the names in the lists that no video has.

    Raises:
        DataError: a list is missing, is no text, has a line without a code, names a video that is
            not the only one of that name, or no video at all; a video stands in two splits.
    """
    by_name: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_name[PurePosixPath(path).name].append(path)
    found: dict[str, str] = {}
    unmatched: list[str] = []
    for file, split in _files(lists):
        matched = False
        for number, line in _lines(file):
            place = f"{file}, line {number}"
            name, code = _parts(line, by_name)
            if not split and not code:
                raise DataError(f"{place} has no code behind {name!r}. Name a split: train={file}.")
            match = _match(name, by_name, file, place)
            if match is None:
                unmatched.append(name)
                continue
            matched = True
            given = split or code
            if found.setdefault(match, given) != given:
                raise DataError(
                    f"{place} puts {match} into {given!r}, another line into {found[match]!r}. "
                    "Correct the lists."
                )
        if not matched:
            raise DataError(
                f"{file} names no video that is there ({some(unmatched[-3:])}). It belongs to "
                "another data set, or paths begin elsewhere."
            )
    return found, unmatched


def _files(lists: Sequence[str]) -> Iterator[tuple[Path, str]]:
    for item in lists:
        split, equals, rest = item.partition("=")
        if not equals or split not in SPLITS:
            split, rest = "", item
        whole = Path(rest).expanduser()
        # A pattern may be absolute, which those of pathlib may not.
        named = [str(whole)] if whole.is_file() else sorted(glob(str(whole)))  # noqa: PTH207
        files = [Path(name) for name in named]
        if not files:
            raise DataError(f"A list of an official split is missing: there is no file {whole}.")
        yield from ((file, split) for file in files)


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as a list in UTF-8: {error}.") from None
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield number, line.strip().replace("\\", "/")


def _parts(line: str, by_name: dict[str, list[str]]) -> tuple[str, str]:
    """Name and code of a line. A name may hold spaces: a whole line that is one has no code."""
    if PurePosixPath(line).name in by_name or (" " not in line and "\t" not in line):
        return line, ""
    name, code = line.rsplit(None, 1)
    return name, code


def _match(name: str, by_name: dict[str, list[str]], file: Path, place: str) -> str | None:
    ends = [
        path
        for path in by_name.get(PurePosixPath(name).name, [])
        if f"/{path}".endswith(f"/{name}")
    ]
    named = [path for path in ends if file.name.startswith(f"{path.split('/')[0]}_")]
    if len(ends) > 1 and len(named) != 1:
        raise DataError(f"{place} may mean {some(ends)}. Give the list the folders, too.")
    return (named if len(ends) > 1 else [*ends, None])[0]
