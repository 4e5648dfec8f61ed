"""Videos with what binds them to splits, and what must stand in one split: groups, near-duplicates.

Near-duplicates join the groups that they are of. Where they are bound to different splits already,
both promises cannot be kept by moving anything: that a video keeps its split, and that no test
video has a twin in training. So one is left out, the one in the split that counts less: training
before validation before the test, whose scores then still compare with those of before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pandas as pd

from reelflow.base.split_names import SPLITS

ALL = frozenset(SPLITS)


@dataclass(frozen=True)
class Video:
    """A video, the splits that it may stand in by itself, and what binds it to them."""

    hash: str
    path: str
    label: str
    group: str
    allowed: frozenset[str]
    bound_by: str
    official: bool


@dataclass
class Group:
    """Videos that stand together; a video without a group is one alone.

    Attributes:
        name: the group, or the path of a video without one; of joined groups, the first name and
            how many more.
        videos: at least one.
        allowed: the splits that all of them may stand in.
    """

    name: str
    videos: list[Video] = field(default_factory=list)
    allowed: frozenset[str] = ALL

    @property
    def joined(self) -> bool:
        """Whether near-duplicates made one of several."""
        return len({video.group or video.hash for video in self.videos}) > 1

    @property
    def official(self) -> bool:
        """Whether the data set itself leaves it one split."""
        return all(video.official for video in self.videos)


def join(groups: list[Group], alike: pd.Series[str]) -> tuple[list[Group], list[str]]:
    """Join the groups whose videos are near-duplicates.

    Args:
        groups: each may stand in some split.
        alike: the set of near-duplicates of a video, by hash.

    Returns:
        The joined groups, and the paths of the videos that were left out, sorted.
    """
    joined = _Joined(groups)
    for _, members in sorted(alike.groupby(alike)):
        joined.join(members.index)
    return joined.groups(), sorted(joined.left_out)


class _Joined:
    """Which groups stand together this far."""

    def __init__(self, groups: list[Group]) -> None:
        self.parts = groups
        self.together = list(range(len(groups)))
        self.allowed = [group.allowed for group in groups]
        self.of = {video.hash: at for at, group in enumerate(groups) for video in group.videos}
        self.paths = {video.hash: video.path for group in groups for video in group.videos}
        self.left_out: dict[str, str] = {}  # hash by path

    def first(self, at: int) -> int:
        """The first of the groups that stand together with one."""
        while self.together[at] != at:
            at = self.together[at]
        return at

    def join(self, near_duplicates: Iterable[str]) -> None:
        """Let the groups of near-duplicates stand together, without those that cannot."""
        members = {video: self.first(self.of[video]) for video in sorted(near_duplicates)}
        bound = [self.allowed[at] for at in members.values() if self.allowed[at] != ALL]
        if bound and not frozenset.intersection(*bound):
            kept = max((split for splits in bound for split in splits), key=SPLITS.index)
            for video in [v for v, at in members.items() if kept not in self.allowed[at]]:
                self.left_out[self.paths[video]] = video
                del members[video]
        first, *others = sorted(set(members.values()))
        for at in others:
            self.allowed[first] &= self.allowed[at]
            self.together[at] = first

    def groups(self) -> list[Group]:
        """Groups with the videos that were not left out."""
        out = set(self.left_out.values())
        joined: dict[int, list[Group]] = {}
        for at, group in enumerate(self.parts):
            videos = [video for video in group.videos if video.hash not in out]
            if videos:
                joined.setdefault(self.first(at), []).append(replace(group, videos=videos))
        return [
            Group(_name(parts), [v for part in parts for v in part.videos], self.allowed[first])
            for first, parts in joined.items()
        ]


def _name(parts: list[Group]) -> str:
    """A group's own name before that of a single video."""
    first, *others = sorted(parts, key=lambda part: (not part.videos[0].group, part.name))
    return f"{first.name} + {len(others)}" if others else first.name
