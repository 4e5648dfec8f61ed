"""Labelled videos in the form that people have them, read into the one form that the pipeline has.

A source is a folder per class or a csv of any columns. A `Form` names the column, or the template
of columns, for the path, label, group and split of a video; lists of an official split may come
with it. docs/recipes.md shows it for known data sets.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from string import Formatter
from typing import Any

from reelflow.base.csv_table import read_table
from reelflow.base.errors import DataError, quoted
from reelflow.base.files import visible_files
from reelflow.base.split_names import SPLITS, SYNONYMS
from reelflow.base.words import nearest, some
from reelflow.intake.labelled_videos import (
    CSV_NAME,
    LAYOUT,
    LabelledVideo,
    from_folders,
    is_outside,
    once_each,
    slashed,
    with_group,
)
from reelflow.intake.official_splits import read_split_lists
from reelflow.video.open_safely import refuse_unusable

_NOTES = (".csv", ".json", ".md", ".txt")  # what lies beside videos and needs no row
# A csv that came with a folder is not read beyond it, nor without end.
_MOST_CSV = 1 << 30
log = logging.getLogger(__name__)

NONE, SKIP = "none", "skip"
_ALIASES = {**SYNONYMS, "": NONE}


@dataclass(frozen=True)
class Form:
    """How a source records its videos.

    Attributes:
        path, label, group, split: a column, or a template of columns (`{id}_{start:06d}.mp4`);
            empty: the column of that name, where there is one.
        group_pattern: as for `list_videos`.
        split_lists: as for `read_split_lists`.
        split_values: what the values of the split mean: a split, `none` or `skip`.
    """

    path: str = ""
    label: str = ""
    group: str = ""
    split: str = ""
    group_pattern: str = ""
    split_lists: tuple[str, ...] = ()
    split_values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """What a source holds.

    Attributes:
        origin: the folder or the csv.
        folder: what the paths are relative to.
        videos: those that are there and wanted, sorted by path.
        missing: paths that the csv names and that are not there.
        skipped: paths that the form leaves out.
        unmatched: lines of the split lists that name no video of the source.
    """

    origin: Path
    folder: Path
    videos: list[LabelledVideo]
    missing: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)


def read_source(origin: Path, form: Form | None = None, folder: Path | None = None) -> Source:
    """Read a folder per class, a folder with a `videos.csv`, or a csv.

    Args:
        origin: the folder or the csv.
        form: how to read it; None for a folder per class or a csv `path,label[,group][,split]`.
        folder: where the paths begin, if not at the csv.

    Raises:
        VideoError: the csv in a folder is a link out of it, or too large.
        DataError: a column, a value or a file does not fit the form; nothing is there.
    """
    form = form or Form()
    csv = origin if origin.is_file() else origin / CSV_NAME
    start = folder or csv.parent
    if not start.is_dir():
        raise DataError(f"{start} is not a folder. Name one with labelled videos: {LAYOUT}")
    named = csv.is_file()
    if named and csv != origin:
        refuse_unusable(csv, (origin.resolve(),), most_bytes=_MOST_CSV)
    rows = _csv_rows(csv, start, form) if named else _folder_rows(start)
    asked = csv if named else origin
    videos = [_video(asked, form, row, number) for number, row in enumerate(rows, 2)]
    if not videos:
        raise DataError(f"{origin} holds no labelled videos. Wanted is {LAYOUT}")
    unmatched: list[str] = []
    if form.split_lists:
        found, unmatched = read_split_lists(form.split_lists, [v.path for v in videos])
        videos = [replace(v, split=found.get(v.path, v.split)) for v in videos]
    meaning = _meaning(origin, {video.split or "" for video in videos}, form)
    videos = [replace(video, split=meaning[video.split or ""]) for video in videos]
    _refuse_pattern(form.group_pattern)
    videos = [with_group(video, form.group_pattern) for video in videos]
    videos = sorted(once_each(origin, videos), key=lambda video: video.path)
    kept = [replace(v, split=None if v.split == NONE else v.split) for v in videos]
    kept = [video for video in kept if video.split != SKIP]
    there = [video for video in kept if not named or os.path.lexists(start / video.path)]
    return Source(
        origin,
        start,
        there,
        sorted({video.path for video in kept} - {video.path for video in there}),
        [video.path for video in videos if video.split == SKIP],
        unmatched,
    )


def list_videos(root: Path, group_pattern: str = "") -> list[LabelledVideo]:
    """The labelled files under `root`, sorted by path.

    Args:
        root: folder with a folder per class, or with a `videos.csv`.
        group_pattern: regular expression with a part named `group`, searched in the path of a
            video that has no group yet.

    Raises:
        DataError: as `read_source`; the csv names files that do not exist, or leaves the folder.
    """
    source, csv = read_source(root, Form(group_pattern=group_pattern)), root / CSV_NAME
    named = [*(video.path for video in source.videos), *source.missing]
    unsafe = [path for path in named if is_outside(path)]
    if unsafe:
        raise DataError(
            f"{csv} names files outside its folder ({some(unsafe)}). Import the set from another "
            "folder: that links them here."
        )
    if source.missing:
        raise DataError(
            f"{csv} names {len(source.missing)} of {len(named)} files that do not exist "
            f"({some(source.missing)}). Correct the paths, which are relative to the csv, or take "
            "the rows out."
        )
    if csv.is_file():
        _warn_of_unlisted(root, set(named), csv)
    return source.videos


def _warn_of_unlisted(root: Path, listed: set[str], csv: Path) -> None:
    found = {path for path in visible_files(root) if not path.endswith(_NOTES)}
    if unlisted := sorted(found - listed):
        text = "%d files are not named in %s and are passed over (%s)"
        log.warning(text, len(unlisted), csv, some(unlisted))


def rows_of(csv: Path) -> list[LabelledVideo]:
    """The rows of a `videos.csv`, whether the files are there or not. Raises `DataError`."""
    rows = enumerate(_csv_rows(csv, csv.parent, Form()), 2)
    videos = [_video(csv, Form(), row, number) for number, row in rows]
    return [
        replace(v, split=SYNONYMS.get(v.split.casefold(), v.split) if v.split else None)
        for v in videos
    ]


def csv_paths(csv: Path, folder: Path, form: Form) -> list[str]:
    """The paths that a csv names. Raises `DataError`."""
    return [row["path"] for row in _csv_rows(csv, folder, form)]


def _folder_rows(folder: Path) -> Iterator[dict[str, str]]:
    for video in from_folders(folder):
        path = PurePosixPath(video.path)
        below = "/".join(path.parts[1:-1])
        yield {"path": video.path, "label": video.label, "folder": below, "name": path.name}


def _csv_rows(csv: Path, folder: Path, form: Form) -> Iterator[dict[str, str]]:
    """The rows of a csv, with the video's path as `path`, and `folder` and `name` after it."""
    wanted = form.path or "path"
    for number, cells in enumerate(read_table(csv).to_dict("records"), 2):
        row = {str(name): str(cell).strip() for name, cell in cells.items()}
        # A name may begin with a space.
        path = str(cells[wanted]) if wanted in cells else _filled(csv, "path", wanted, row, number)
        path = slashed(path, folder)
        place = PurePosixPath(path)
        parent = "" if place.parent == PurePosixPath() else place.parent.as_posix()
        made = {"folder": parent, "name": place.name}
        # The columns of the csv come first in messages, and its own `folder` or `name` counts.
        yield row | made | row | {"path": path and place.as_posix()}


def _video(origin: Path, form: Form, row: Mapping[str, str], number: int) -> LabelledVideo:
    label = _filled(origin, "label", form.label or "label", row, number)
    if not row["path"] or not label:
        raise DataError(
            f"{origin} has rows without a path or a label (row {number}: {row['path']!r})."
        )
    group = form.group or ("group" if "group" in row else "")
    split = form.split or ("split" if "split" in row else "")
    return LabelledVideo(
        row["path"],
        label,
        _filled(origin, "group", group, row, number) or None,
        _filled(origin, "split", split, row, number),
    )


def _filled(origin: Path, option: str, wanted: str, row: Mapping[str, str], number: int) -> str:
    """A column of a row, or a template with its columns filled in; empty if none is wanted."""
    parts: list[tuple[str, str | None, str | None]] = [("", wanted, "")]
    if "{" in wanted:
        try:
            parts = [(text, name, spec) for text, name, spec, _ in Formatter().parse(wanted)]
        except ValueError as error:
            raise DataError(f"{quoted(wanted)} is no template of columns: {error}.") from None
    filled = ""
    for text, name, spec in parts:
        filled += text
        if not name:
            continue
        if name not in row:
            raise DataError(
                f"{origin} lacks the column {name}; it has {', '.join(row)}.{nearest(name, row)} "
                f"Name the column of the {option} by the option `--{option}`."
            )
        try:
            filled += format(_number(row[name]) if spec else row[name], spec or "")
        except ValueError:
            raise DataError(
                f"{origin}: row {number} has {row[name]!r} for {name}, which {{{name}:{spec}}} "
                "cannot write. Correct the cell or the template."
            ) from None
    return filled


def _number(cell: str) -> Any:
    value = float(cell)
    return int(value) if value.is_integer() else value


def _meaning(origin: Path, words: set[str], form: Form) -> dict[str, str]:
    """`train`, `validation`, `test`, `none` or `skip` for each word of the source."""
    allowed = (*SPLITS, NONE, SKIP)
    wrong = [f"{k}={v}" for k, v in form.split_values.items() if v not in allowed]
    if wrong:
        raise DataError(f"--split-value {wrong[0]}: it may mean {', '.join(allowed)}.")
    known = {word: _ALIASES.get(word.casefold(), "") for word in words}
    # A value may be given in the source's word, or in ours for what the word is known to mean.
    given = form.split_values
    meaning = {word: given.get(word, given.get(split, split)) for word, split in known.items()}
    unknown = sorted(value for value, split in meaning.items() if not split)
    if unknown:
        raise DataError(
            f"{origin} has the split {some(unknown)}; say what it means: --split-value "
            f"{unknown[0]}=train (or validation, test, none for no official split, skip to leave "
            "its videos out)."
        )
    return meaning


def _refuse_pattern(pattern: str) -> None:
    try:
        names = re.compile(pattern).groupindex
    except re.error as error:
        raise DataError(f"{quoted(pattern)} is no regular expression: {error}.") from None
    if pattern and "group" not in names:
        raise DataError(f"--group-pattern {quoted(pattern)} names no part (?P<group>…).")
