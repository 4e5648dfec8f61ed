"""What an import would do to the raw folder.

The plan is a value: a dry run shows the same plan that `reelflow.intake.apply_import` carries out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from reelflow.base.errors import VideoError
from reelflow.base.split_names import SPLITS
from reelflow.base.words import some
from reelflow.intake.labelled_videos import LabelledVideo, made_up_test
from reelflow.intake.quarantine import sentences
from reelflow.intake.read_folder_or_csv import Source

_SHOWN_OF_LOSSES = 20


@dataclass
class Plan:
    """What `data/raw` holds, and would hold.

    Attributes:
        source: where the videos come from.
        adding: whether what is there stays.
        before: what raw holds now, by name.
        after: what it will hold, by name.
        put: the file to bring, by name.
        there: how many videos of the source raw has already.
        gone: names to be taken out.
        overwritten: names that are there and get other bytes.
        duplicates: a path of the source, and what has the same bytes.
        changed: names that are there and get another group or split.
        aside: files of the source that may not be read.
        obstacles: sentences on why it cannot be carried out.
        shortage: why the pipeline would then stop; more videos may be added before.
    """

    source: Source
    adding: bool
    before: dict[str, LabelledVideo]
    after: dict[str, LabelledVideo] = field(default_factory=dict)
    put: dict[str, Path] = field(default_factory=dict)
    there: int = 0
    gone: list[str] = field(default_factory=list)
    overwritten: list[str] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    aside: list[VideoError] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    shortage: str = ""

    @property
    def new_labels(self) -> list[str]:
        return sorted({v.label for v in self.after.values()} - labels_of(self.before))

    def table(self) -> pd.DataFrame:
        """A row a class: how many videos would be new, there, gone; then groups and splits."""
        former = {name: video.label for name, video in self.before.items()}
        rows = {}
        for label in sorted(labels_of(self.after) | {former.get(name, "") for name in self.gone}):
            ours = {name: video for name, video in self.after.items() if video.label == label}
            splits = [video.split for video in ours.values()]
            rows[label or "(no row)"] = {
                "new": sum(name in self.put for name in ours),
                "there": sum(name not in self.put for name in ours),
                "gone": sum(former.get(name, "") == label for name in self.gone),
                "groups": len({video.group for video in ours.values()} - {None}),
                **{split: splits.count(split) for split in SPLITS},
                "no split": splits.count(None),
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")

    def sentences(self) -> list[str]:
        """What the table does not show, each with a few examples."""
        source = self.source
        lists = {
            "new labels": self.new_labels if self.before else [],
            "already there, now with another group or split": self.changed,
            "the same bytes as another": [path for path, _ in self.duplicates],
            "named, but missing": source.missing,
            "left out by their split": source.skipped,
            "named by a split list, but not there": source.unmatched,
        }
        new = f"{len(self.put)} new, {self.there} already there, {len(self.after)} in all."
        made_up = made_up_test(video.split for video in self.after.values())
        return [
            new,
            *(f"{len(items)} {what}: {some(items)}" for what, items in lists.items() if items),
            *(f"set aside: {sentence}" for sentence in sentences(self.aside)),
            *([made_up] if made_up else []),
            *([] if self.obstacles else self.losses()),
            *([f"The pipeline would stop: {self.shortage}"] if self.shortage else []),
        ]

    def losses(self) -> list[str]:
        """What raw would lose, with more than a few examples."""
        lists = {
            "taken out": self.gone,
            "replaced by another file": self.overwritten,
            "with another label, group or split": [] if self.adding else self._changed_records(),
        }
        return [
            f"{len(items)} {what}: {some(items, _SHOWN_OF_LOSSES)}"
            for what, items in lists.items()
            if items
        ]

    def _changed_records(self) -> list[str]:
        """Names that stay and lose their label, group or split, or get another one."""
        return [
            name
            for name, old in self.before.items()
            if (new := self.after.get(name))
            and (new.label, old.group and new.group, old.split and new.split)
            != (old.label, old.group, old.split)
        ]


def labels_of(videos: Mapping[str, LabelledVideo]) -> set[str]:
    """The classes of videos."""
    return {video.label for video in videos.values()}
