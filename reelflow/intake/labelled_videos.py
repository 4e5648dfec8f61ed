"""Which videos there are and what they show: a folder per class, or a `videos.csv`.

    raw/<label>/**/any.name                          a folder per class
    raw/videos.csv  path,label[,group][,split]       paths relative to the csv

With a `videos.csv` only the files that it names count. Extensions do not matter: the content
decides later whether a file is a video. Hidden files (`.DS_Store`) are ignored.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pandas as pd

from reelflow.base.csv_table import marked, read_table
from reelflow.base.errors import DataError
from reelflow.base.split_names import SPLITS
from reelflow.base.words import some

log = logging.getLogger(__name__)

CSV_NAME = "videos.csv"
_NOTES = (".csv", ".json", ".md", ".txt")  # what lies beside videos and needs no row
COLUMNS = ("path", "label", "group", "split")


@dataclass(frozen=True)
class LabelledVideo:
    """A file and its records, before it is opened.

    Attributes:
        path: relative to the raw folder, with `/`.
        label: the class.
        group: what must not be split (a source, a subject, a camera), or None.
        split: `train`, `validation` or `test` where the data set prescribes it, or None.
    """

    path: str
    label: str
    group: str | None = None
    split: str | None = None


def list_videos(root: Path, group_pattern: str = "") -> list[LabelledVideo]:
    """The labelled files under `root`, sorted by path.

    Args:
        root: folder with a folder per class, or with a `videos.csv`.
        group_pattern: regular expression with a part named `group`, searched in the path of a
            video that has no group yet.

    Raises:
        DataError: no folder, no videos, a csv that lacks columns, names files that do not exist,
            labels a file twice or leaves the folder.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder. Put labelled videos there: {LAYOUT}")
    csv = root / CSV_NAME
    if csv.is_file():
        videos = _from_csv(csv)
        _warn_of_unlisted(root, {video.path for video in videos}, csv)
    else:
        videos = list(from_folders(root))
    if not videos:
        raise DataError(f"{root} holds no labelled videos. Put them there: {LAYOUT}")
    if group_pattern:
        videos = [with_group(video, re.compile(group_pattern)) for video in videos]
    return sorted(videos, key=lambda video: video.path)


LAYOUT = (
    f"a folder per class ({{label}}/clip.mp4), or a {CSV_NAME} with the columns path,label and, "
    "where known, group."
)


def from_folders(root: Path) -> Iterator[LabelledVideo]:
    """The files of a folder per class; none if there is no folder in it."""
    for label in sorted(root.iterdir()):
        if label.name.startswith(".") or not os.path.isdir(label) or _holds(label, root):  # noqa: PTH112
            continue
        for folder, folders, names in os.walk(label):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                if not name.startswith("."):
                    path = (Path(folder) / name).relative_to(root).as_posix()
                    yield LabelledVideo(path, label.name)


def _holds(label: Path, root: Path) -> bool:
    """Whether a class is a link to a folder that holds all classes."""
    return label.is_symlink() and root.resolve().is_relative_to(label.resolve())


def _warn_of_unlisted(root: Path, listed: set[str], csv: Path) -> None:
    found = (
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in _NOTES and not path.name.startswith(".")
    )
    unlisted = sorted(set(found) - listed)
    if unlisted:
        text = "%d files are not named in %s and are passed over (%s)"
        log.warning(text, len(unlisted), csv, some(unlisted))


def _from_csv(path: Path) -> list[LabelledVideo]:
    videos = rows_of(path)
    unsafe = [v.path for v in videos if is_outside(v.path)]
    if unsafe:
        raise DataError(
            f"{path} names files outside its folder ({some(unsafe)}). Import the set from another "
            "folder: that links them here."
        )
    missing = [video.path for video in videos if not os.path.lexists(path.parent / video.path)]
    if missing:
        raise DataError(
            f"{path} names {len(missing)} of {len(videos)} files that do not exist "
            f"({some(missing)}). Correct the paths, which are relative to the csv, or take the "
            "rows out."
        )
    return once_each(path, videos)


def rows_of(path: Path) -> list[LabelledVideo]:
    """The rows of a `videos.csv`, whether the files are there or not. Raises `DataError`."""
    return [
        LabelledVideo(
            slashed(str(row["path"]), path.parent),
            str(row["label"]),
            str(row["group"]) or None,
            str(row["split"]) or None,
        )
        for row in _read_csv(path).to_dict("records")
    ]


def once_each(source: Path, videos: Iterable[LabelledVideo]) -> list[LabelledVideo]:
    """Every video once. Raises `DataError` if two rows of one video differ."""
    found: dict[str, LabelledVideo] = {}
    for video in videos:
        former = found.setdefault(video.path, video)
        if former != video:
            raise DataError(
                f"{source} names {video.path} twice, as {former.label!r} and as {video.label!r}, "
                "or with two groups or splits. Keep one of the rows."
            )
    return list(found.values())


def is_outside(path: str) -> bool:
    """Whether a path may lead out of the folder that it is relative to."""
    return PurePosixPath(path).is_absolute() or ".." in path.split("/")


def slashed(path: str, folder: Path) -> str:
    """The file that a csv means: the one of exactly that name, else with `/` for Windows' `\\`.

    A name may begin with a space; and `'=x.mp4`, written by hand, means a file of that name, not
    the mark of `reelflow.base.csv_table`. Looks at the disk only where there is a choice.
    """
    plain = path.strip()
    meant = dict.fromkeys((path, plain, str(marked(plain)), plain.replace("\\", "/")))
    there = (name for name in meant if (folder / name).exists())
    return path if len(meant) == 1 else next(there, plain.replace("\\", "/"))


def _read_csv(path: Path) -> pd.DataFrame:
    """The csv as strings with the columns path, label, group, split; absent is empty."""
    table = read_table(path)
    lacking = [column for column in COLUMNS[:2] if column not in table]
    if lacking:
        raise DataError(
            f"{path} lacks the column {' and '.join(lacking)}; it has {', '.join(table.columns)}. "
            "Wanted are path,label and, where known, group and split."
        )
    table = table.reindex(columns=list(COLUMNS), fill_value="")
    for column in COLUMNS[1:]:
        table[column] = table[column].str.strip()
    blank = table["path"].str.strip() == ""
    unlabelled = table.loc[(table["label"] == "") | blank, "path"].tolist()
    if unlabelled:
        raise DataError(f"{path} has rows without a path or a label ({some(unlabelled)}).")
    unknown = sorted(set(table["split"]) - {"", *SPLITS})
    if unknown:
        raise DataError(
            f"{path} has the split {some(unknown)}; allowed are {', '.join(SPLITS)} or nothing."
        )
    return table


def with_group(video: LabelledVideo, pattern: re.Pattern[str]) -> LabelledVideo:
    """The video with the group that the pattern finds in its path, if it has none yet."""
    found = None if video.group else pattern.search(video.path)
    return replace(video, group=found["group"] or None) if found else video


def made_up_test(splits: Iterable[str | None], word: str = "validation") -> str:
    """A sentence or two on an official split that has no test; empty if it has one.

    Args:
        splits: of all videos, None where none is prescribed.
        word: what the source calls its validation.
    """
    official = sorted({split for split in splits if split})
    if not official or "test" in official:
        return ""
    source = (
        "its training videos, so that it shows their scenes and flatters"
        if "train" in official
        else "the videos that it leaves out"
    )
    text = f"The official split has no test ({' and '.join(official)} alone): the test is drawn "
    text += f"from {source}."
    if "validation" not in official:
        return text
    return (
        f"{text} To test on the official validation videos instead, import with the option "
        f"`split-value {word}=test`; validation is then drawn from the training videos."
    )
