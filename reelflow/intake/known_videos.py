"""What the raw folder holds, asked by content, and what is said of it while new videos come in."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from reelflow.base.files import digest_of
from reelflow.intake.labelled_videos import CSV_NAME, LabelledVideo
from reelflow.intake.videos_csv import known_videos, write_listing


class Held:
    """What raw holds: files by size, and what it says of them. Links are not followed."""

    def __init__(self, raw: Path) -> None:
        self.raw = raw
        self.videos = known_videos(raw)
        self.listed = (raw / CSV_NAME).is_file()
        self.changed: list[LabelledVideo] = []
        self.by_size: dict[int, list[str]] = defaultdict(list)
        # A csv may lack the row of a file; without one, what lies in no class is no video.
        there = [p.relative_to(raw).as_posix() for p in files_below(raw)] if self.listed else []
        for name in sorted({*there, *self.videos} - {CSV_NAME}):
            try:
                found = (raw / name).lstat()
            except FileNotFoundError:  # a csv may name what is not there
                continue
            if stat.S_ISREG(found.st_mode):
                self.by_size[found.st_size].append(name)

    def same_content(self, size: int, digest: str) -> dict[str, LabelledVideo | None]:
        """Files in raw with these bytes, each with what raw says of it (None: nothing).

        Only files of the same size are read, so that a large raw costs one look at each size.
        """
        return {
            name: self.videos.get(name)
            for name in self.by_size[size]
            if digest_of(self.raw / name) == digest
        }

    def add(self, video: LabelledVideo) -> None:
        """Say this of a video in raw."""
        self.videos[video.path] = video
        self.changed.append(video)

    def complete(self, rows: Iterable[LabelledVideo], group: str) -> None:
        """Give those videos a group that have none."""
        for video in rows:
            if not video.group:
                self.add(replace(video, group=group))

    def write(self) -> None:
        """Write down what was said, where folders do not say it: in a csv, or to groups."""
        if self.changed and (self.listed or any(video.group for video in self.changed)):
            write_listing(self.raw, self.videos, keep=True)


def files_below(root: Path) -> list[Path]:
    """Files below `root` but the hidden ones; folders that are links are given as they are."""
    found: list[Path] = []
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [here / name for name in folders if (here / name).is_symlink()]
        found += [here / name for name in names if not name.startswith(".")]
    return sorted(found)
