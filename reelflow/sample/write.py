"""Writing the sample: a folder a class, `videos.csv`, `boxes.csv`, `sample.json`.

    sample.json   how the set was asked for; written first, so that a killed run can be repeated
    LABEL/*       the videos, and a few broken files
    boxes.csv     path,frame,x,y,width,height: the object in every frame of every good video, in
                  pixels from the top left of the picture as shown, frames counted from 0
    videos.csv    path,label,group of all files, the broken ones too, and split if the sample is
                  apart; written last

Every file is written in one step, and `videos.csv` comes last, so the command can be killed at any
moment and given again: it then writes every file anew, with the same bytes. About 10 s for the 480
videos on two cores, 7 MB.
"""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from reelflow.base.csv_table import write_table
from reelflow.base.errors import DataError
from reelflow.base.files import remove_left_over, replacing, write_json
from reelflow.base.parallel import each
from reelflow.base.progress import track
from reelflow.sample.broken import Damage, broken
from reelflow.sample.encode import encode
from reelflow.sample.plan import Planned, plan
from reelflow.sample.scene import LABELS

SETTINGS = "sample.json"
VIDEOS = "videos.csv"
BOXES = "boxes.csv"

# Raised when the same settings would give other bytes.
VERSION = 2


@dataclass(frozen=True)
class SampleSummary:
    """What a sample holds.

    Attributes:
        root: its folder.
        videos: good videos.
        broken: broken files.
        groups: groups of videos that share background and paint.
        labels: the classes, sorted.
    """

    root: Path
    videos: int
    broken: int
    groups: int
    labels: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.videos} videos of {len(self.labels)} classes in {self.groups} groups, and "
            f"{self.broken} files broken on purpose."
        )


def write_sample(
    root: Path,
    *,
    clips_per_class: int = 80,
    groups: int = 40,
    seed: int = 0,
    workers: int = 0,
    apart: bool = False,
) -> SampleSummary:
    """Write the labelled sample videos to `root`, the same bytes each time.

    A finished sample is left as it is, whatever was done to its files since; one that was
    interrupted is written anew.

    Args:
        root: a folder that is empty, or is not there yet, or holds this very sample.
        clips_per_class: good videos a class, 3 or more; there are six classes.
        groups: how many pairs of background and paint the videos share, 1 to `clips_per_class`.
        seed: 0 or more; another seed gives other videos.
        workers: scenes written at once; 0 for one a core.
        apart: each scene shows one class alone, `groups` scenes a class, and an official split has
            a test of scenes that training never shows.

    Raises:
        DataError: `root` holds something else. Nothing was touched then.
        OSError: the disk is full or not writable.
    """
    settings = {
        "clips_per_class": clips_per_class,
        "groups": groups,
        "made_by": "reelflow sample",
        "seed": seed,
        "version": VERSION,
        **({"apart": True} if apart else {}),
    }
    good = plan(clips_per_class, groups, seed, apart=apart)
    bad = broken(good, seed)
    _refuse_other_content(root, settings)
    if not (root / VIDEOS).exists():
        write_json(root / SETTINGS, settings)
        _write_files(root, good, bad, seed, workers)
    scenes = len({video.group for video in good})
    return SampleSummary(root, len(good), len(bad), scenes, tuple(sorted(LABELS)))


def _refuse_other_content(root: Path, settings: dict[str, Any]) -> None:
    if root.exists() and not root.is_dir():
        raise DataError(f"{root} is a file; name a folder for the sample videos.")
    if (root / SETTINGS).is_file():
        found = json.loads((root / SETTINGS).read_text(encoding="utf-8"))
        if found != settings:
            raise DataError(
                f"{root} holds another sample: {root / SETTINGS} says {found}, asked for was "
                f"{settings}. Nothing was written. Delete that folder, or name another."
            )
    # Hidden files (`.gitkeep`, what a killed run left) are nobody's videos.
    elif others := sorted(path.name for path in root.glob("[!.]*")):
        raise DataError(
            f"{root} is not empty (it holds {others[0]}); nothing was written. Name another "
            "folder for the sample videos."
        )


def _write_files(
    root: Path, good: list[Planned], bad: list[tuple[Planned, Damage]], seed: int, workers: int
) -> None:
    remove_left_over(root, below=True)
    of_group: dict[int, list[Planned]] = defaultdict(list)
    for video in good:
        of_group[video.group].append(video)
    work = each(partial(_write_batch, root, seed), of_group.values(), workers)
    for _ in track(work, len(of_group), "writing scenes"):
        pass
    for video, damage in bad:
        with replacing(root / video.path) as temporary:
            encode([video.job(temporary, seed)])
            temporary.write_bytes(damage(temporary.read_bytes()))
    boxes = [
        (video.path, frame, *(f"{value:.2f}" for value in box))
        for video in good
        for frame, box in enumerate(video.boxes(seed))
    ]
    columns = ["path", "frame", "x", "y", "width", "height"]
    write_table(root / BOXES, pd.DataFrame(boxes, columns=columns))
    listed = sorted([*good, *(video for video, _ in bad)], key=lambda video: video.path)
    rows = [(video.path, video.label, video.group_name, video.split) for video in listed]
    table = pd.DataFrame(rows, columns=["path", "label", "group", "split"])
    write_table(root / VIDEOS, table if table["split"].any() else table.drop(columns="split"))


def _write_batch(root: Path, seed: int, videos: list[Planned]) -> None:
    """Write videos of one group, whose textures are made once and kept by `scene`."""
    with ExitStack() as stack:
        paths = [stack.enter_context(replacing(root / video.path)) for video in videos]
        encode([video.job(path, seed) for video, path in zip(videos, paths, strict=True)])
