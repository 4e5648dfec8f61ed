"""What is kept of the folds that are done: a file each, named by everything that it depends on.

    0123456789abcdef….json

A memory, not an output: it may be deleted at any time. A cross-validation that was killed, or is
asked for again, finds here what it has done already; so does a search that comes upon the same
settings twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reelflow.base.files import write_json
from reelflow.crossval.figures import Answered
from reelflow.crossval.folds import Fold


@dataclass(frozen=True)
class Job:
    """A fold to do.

    Attributes:
        fold: which videos.
        params: the section `train` as JSON has it, all of it, for the program that does the fold.
        in_use: of these, what the network depends on; by this the fold is known again.
        made_by: a hash of what else it depends on, the code and the stores that it reads.
        facts: hash of each video to its label and group.
    """

    fold: Fold
    params: Mapping[str, Any]
    in_use: Mapping[str, Any]
    made_by: str
    facts: Mapping[str, tuple[str, str]]

    @property
    def key(self) -> str:
        """Hexadecimal digits that change whenever the answers might. The number of the fold and of
        the repeat are not in it: the same videos give the same answers."""
        depends = {
            "params": self.in_use,
            "made_by": self.made_by,
            "videos": [
                [[video, *self.facts[video]] for video in videos]
                for videos in (self.fold.learned, self.fold.watched, self.fold.tested)
            ],
        }
        return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()

    @property
    def labels(self) -> dict[str, str]:
        """The label of each video, by hash."""
        return {video: label for video, (label, _) in self.facts.items()}


def path_of(folder: Path, key: str) -> Path:
    """Where the outcome of a job lies or is to lie."""
    return folder / f"{key}.json"


def keep(folder: Path, job: Job, answered: Answered) -> None:
    """Write the outcome of a job, whole or not at all."""
    write_json(
        path_of(folder, job.key),
        {
            "made_by": job.made_by,
            "told": answered.told,
            "videos": answered.videos,
            "probabilities": np.asarray(answered.probabilities, np.float64).tolist(),
        },
    )


def find(folder: Path, job: Job) -> Answered | None:
    """The outcome of a job; None if there is none, or it is not whole."""
    try:
        found = json.loads(path_of(folder, job.key).read_text(encoding="utf-8"))
        probabilities = np.array(found["probabilities"], np.float64)
        return Answered(job.fold, found["told"], found["videos"], probabilities)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def unreferenced(folder: Path, made_by: Collection[str], videos: Collection[str]) -> Iterator[Path]:
    """Outcomes that no cross-validation would find again, or that are damaged.

    Args:
        folder: where they lie.
        made_by: `Job.made_by` for the present code and stores, of every network.
        videos: hashes of the videos that there are.
    """
    for path in sorted(folder.glob("*.json")):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            wanted = found["made_by"] in made_by and set(found["videos"]) <= set(videos)
        except (ValueError, KeyError, TypeError):
            wanted = False
        if not wanted:
            yield path
