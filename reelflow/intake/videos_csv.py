"""The records of the videos in the raw folder, read and written: folders, or a `videos.csv`.

There is a csv only where folders cannot record it all, so that files which are put into class
folders later count. Columns that somebody added to it are kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from reelflow.base.csv_table import read_table, write_table
from reelflow.intake.labelled_videos import COLUMNS, CSV_NAME, LabelledVideo, from_folders
from reelflow.intake.read_folder_or_csv import rows_of


def known_videos(raw: Path) -> dict[str, LabelledVideo]:
    """The videos that `raw` records, whether its records are in order or not."""
    if (raw / CSV_NAME).is_file():
        return {os.path.normpath(video.path): video for video in rows_of(raw / CSV_NAME)}
    return {video.path: video for video in from_folders(raw)} if raw.is_dir() else {}


def write_listing(raw: Path, videos: Mapping[str, LabelledVideo], *, keep: bool) -> None:
    """Make `raw` record these videos.

    Args:
        raw: the folder.
        videos: by name, relative to `raw`.
        keep: whether a csv that is there stays one, since it may leave files out on purpose.
    """
    path = raw / CSV_NAME
    classes_alone = all(
        name.split("/")[0] == video.label and not video.group and not video.split
        for name, video in videos.items()
    )
    if classes_alone and not (keep and path.is_file()):
        path.unlink(missing_ok=True)
        return
    rows = [
        (name, v.label, v.group or "", v.split or "")
        for name, v in sorted(videos.items())
        # A name that is not UTF-8 is set aside anyway, and a csv could not hold it.
        if name == name.encode("utf-8", "replace").decode()
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    if keep and path.is_file():
        former = read_table(path)
        more = former.drop(columns=[name for name in COLUMNS if name in former])
        more["path"] = [os.path.normpath(video.path) for video in rows_of(path)]
        table = table.merge(more.drop_duplicates("path"), on="path", how="left").fillna("")
    write_table(path, table)
