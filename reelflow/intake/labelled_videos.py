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

from reelflow.base.csv_table import marked
from reelflow.base.errors import DataError
from reelflow.base.files import visible_files

log = logging.getLogger(__name__)

CSV_NAME = "videos.csv"
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


LAYOUT = (
    f"a folder per class ({{label}}/clip.mp4), or a {CSV_NAME} with the columns path,label and, "
    "where known, group."
)


def from_folders(root: Path) -> Iterator[LabelledVideo]:
    """The files of a folder per class; none if there is no folder in it."""
    for label in sorted(root.iterdir()):
        if label.name.startswith(".") or not os.path.isdir(label) or _holds(label, root):  # noqa: PTH112
            continue
        for path in visible_files(label):
            yield LabelledVideo(f"{label.name}/{path}", label.name)


def _holds(label: Path, root: Path) -> bool:
    """Whether a class is a link to a folder that holds all classes."""
    return label.is_symlink() and root.resolve().is_relative_to(label.resolve())


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


def with_group(video: LabelledVideo, pattern: str) -> LabelledVideo:
    """The video with the group that the pattern finds in its path, if it has none yet and there is
    a pattern."""
    found = re.search(pattern, video.path) if pattern and not video.group else None
    return replace(video, group=found["group"] or None) if found else video


def made_up_test(splits: Iterable[str | None]) -> str:
    """A sentence or two on an official split that has no test; empty if it has one.

    Args:
        splits: of all videos, None where none is prescribed.
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
        "`--split-value validation=test`; validation is then drawn from the training videos."
    )
