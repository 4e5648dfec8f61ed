"""Videos with what binds them to splits, and what must stand in one split: groups, near-duplicates.

Near-duplicates join their groups. Where they are bound to different splits already, no move keeps
both promises: that a video keeps its split, and that no test video has a twin in training. So one
is left out, the one in the split that counts less: training before validation before the test,
whose scores then still compare with earlier ones.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np
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


def sources(videos: pd.DataFrame) -> pd.Series[int]:
    """The number of the source of each video: what must not be split.

    The videos of a group are one source, and so are near-duplicates with their groups; any other
    video is a source of its own.

    Args:
        videos: columns `group` and `alike`, which may be missing values.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, ties = np.arange(len(videos)), len(videos)
    edges = []
    for column in ("group", "alike"):
        codes, names = pd.factorize(videos[column])
        edges.append(np.stack([rows, ties + codes])[:, codes >= 0])
        ties += len(names)
    ends = np.hstack(edges)
    graph = coo_array((np.ones(ends.shape[1]), tuple(ends)), shape=(ties, ties))
    _, found = connected_components(graph, directed=False)
    return pd.Series(found[: len(videos)], index=videos.index)


def join(groups: list[Group], alike: pd.Series[str]) -> tuple[list[Group], list[str]]:
    """Join the groups whose videos are near-duplicates.

    Args:
        groups: each may stand in some split.
        alike: the set of near-duplicates of a video, by hash.

    Returns:
        The joined groups, and the paths of the videos that were left out, sorted.
    """
    first_of = list(range(len(groups)))  # of the groups that stand together with each
    allowed = [group.allowed for group in groups]
    place = {video.hash: at for at, group in enumerate(groups) for video in group.videos}
    out: set[str] = set()
    for _, members in sorted(alike.groupby(alike)):
        joined = {video: first_of[place[video]] for video in members.index}
        bound = [allowed[at] for at in joined.values() if allowed[at] != ALL]
        if bound and not frozenset.intersection(*bound):
            kept = max((split for splits in bound for split in splits), key=SPLITS.index)
            out.update(video for video, at in joined.items() if kept not in allowed[at])
        first, *others = sorted({at for video, at in joined.items() if video not in out})
        for other in others:
            allowed[first] &= allowed[other]
        if others:
            first_of = [first if at in others else at for at in first_of]
    parts: dict[int, list[Group]] = defaultdict(list)
    for first, group in zip(first_of, groups, strict=True):
        videos = [video for video in group.videos if video.hash not in out]
        if videos:
            parts[first].append(replace(group, videos=videos))
    whole = [
        Group(_name(some), [video for part in some for video in part.videos], allowed[first])
        for first, some in parts.items()
    ]
    left_out = [video.path for group in groups for video in group.videos if video.hash in out]
    return whole, sorted(left_out)


def _name(parts: list[Group]) -> str:
    """A group's own name before that of a single video."""
    first, *others = sorted(parts, key=lambda part: (not part.videos[0].group, part.name))
    return f"{first.name} + {len(others)}" if others else first.name
