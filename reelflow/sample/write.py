"""Writing the sample: a folder a class, `videos.csv`, `boxes.csv`.

    LABEL/*       the videos, and a few broken files
    boxes.csv     path,frame,x,y,width,height: the object in every frame of every good video, in
                  pixels from the top left of the picture as shown, frames counted from 0
    videos.csv    path,label,group of all files, the broken ones too, and split if the sample is
                  apart; written last

About 10 s for the 480 videos on two cores, 7 MB.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path

import pandas as pd

from reelflow.base.csv_table import write_table
from reelflow.base.errors import DataError
from reelflow.base.parallel import each
from reelflow.base.progress import track
from reelflow.sample.broken import broken
from reelflow.sample.encode import encode
from reelflow.sample.plan import Planned, plan
from reelflow.sample.scene import LABELS

VIDEOS = "videos.csv"
BOXES = "boxes.csv"


def write_sample(
    root: Path,
    *,
    clips_per_class: int = 80,
    groups: int = 40,
    seed: int = 0,
    workers: int = 0,
    apart: bool = False,
) -> str:
    """Write the labelled sample videos to `root`, the same bytes each time; return a sentence on
    what is there.

    Args:
        root: a folder that is empty, or is not there yet.
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
    # Hidden files (`.gitkeep`) are nobody's videos.
    if root.exists() and (not root.is_dir() or any(root.glob("[!.]*"))):
        raise DataError(
            f"{root} is no empty folder; nothing was written. Name another one for the sample "
            "videos, or delete it."
        )
    good = plan(clips_per_class, groups, seed, apart=apart)
    bad = broken(good, seed)
    of_group: dict[int, list[Planned]] = defaultdict(list)
    for video in good:
        of_group[video.group].append(video)
    for label in LABELS:
        (root / label).mkdir(parents=True)
    # Videos of one group together: their textures are made once and kept by `scene`.
    work = each(partial(_write, root, seed), of_group.values(), workers)
    for _ in track(work, len(of_group), "writing scenes"):
        pass
    for video, damage in bad:
        _write(root, seed, [video])
        path = root / video.path
        path.write_bytes(damage(path.read_bytes()))
    boxes = [
        (video.path, frame, *(f"{value:.2f}" for value in box))
        for video in good
        for frame, box in enumerate(video.scene(seed).boxes())
    ]
    columns = ["path", "frame", "x", "y", "width", "height"]
    write_table(root / BOXES, pd.DataFrame(boxes, columns=columns))
    listed = sorted([*good, *(video for video, _ in bad)], key=lambda video: video.path)
    rows = [(v.path, v.label, f"scene_{v.group + 1:03d}", v.split) for v in listed]
    table = pd.DataFrame(rows, columns=["path", "label", "group", "split"])
    write_table(root / VIDEOS, table if apart else table.drop(columns="split"))
    return (
        f"{len(good)} videos of {len(LABELS)} classes in {len(of_group)} groups, and {len(bad)} "
        "files broken on purpose."
    )


def _write(root: Path, seed: int, videos: list[Planned]) -> None:
    for video in videos:
        frames = video.scene(seed).render()
        encode(frames, root / video.path, video.format, video.rate)
