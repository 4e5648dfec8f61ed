"""Which video is for training, validation or test: by group, stratified by class, and kept later.

Three things bind a video, in this order: an official `split` of its data set; the ledger, in which
it keeps the split it once had; its group, which stands in one split, joined with those of its
near-duplicates (`reelflow.dataset.keep_together`). All other groups are divided so that every class
comes closest to the wanted shares (`reelflow.dataset.stratify`). The result depends on contents,
labels, groups, shares and the seed: not on names or on the order of files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from reelflow.base.errors import DataError
from reelflow.base.split_names import SPLITS
from reelflow.base.words import count, some
from reelflow.dataset.keep_together import ALL, Group, Video, join
from reelflow.dataset.split_ledger import ANEW, COLUMNS, Ledger
from reelflow.dataset.stratify import Bools, Impossible, assign


@dataclass(frozen=True)
class Division:
    """A division of videos.

    Attributes:
        videos: hash, path, label, group (None if unknown), split, and `kept_with`, the name of
            what was kept together with it (None if nothing was); sorted by path.
        left_out: paths of the videos that stand in no split, for their near-duplicates stand in
            another one than they must.
        moved: paths whose official split overrides the one in the ledger.
        absent: by class whose splits are all official, the splits without a video of it.
    """

    videos: pd.DataFrame
    left_out: list[str]
    moved: list[str]
    absent: dict[str, list[str]]


def divide(
    videos: pd.DataFrame, ledger: Ledger, shares: Mapping[str, float], seed: int
) -> Division:
    """Give every video a split.

    Args:
        videos: hash, path, label, group, split (official) and alike (set of near-duplicates); the
            last three may be missing values.
        ledger: what is remembered of this data set.
        shares: wanted share of the videos by split, summing to 1.
        seed: decides among divisions that are about equally good.

    Returns:
        No group and no near-duplicates stand in two splits; every class stands in training, and in
        validation and test too, unless all splits of its videos are official.

    Raises:
        DataError: that cannot be had: a group is bound to two splits, or a class has too few
            groups. The text names the remedy.
    """
    bound, moved = _bind(videos, ledger)
    groups, left_out = join(_groups(bound, ledger), videos.set_index("hash")["alike"].dropna())
    groups.sort(key=lambda group: _shuffled(group, seed))
    labels = sorted({video.label for group in groups for video in group.videos})
    needed, absent = _needs(labels, groups, ledger)
    counts = np.zeros((len(groups), len(labels)), dtype=np.int64)
    for row, group in enumerate(groups):
        for video in group.videos:
            counts[row, labels.index(video.label)] += 1
    allowed = np.array([[split in group.allowed for split in SPLITS] for group in groups])
    wanted = np.array([shares[split] for split in SPLITS])
    try:
        split_of = assign(counts, allowed, wanted, needed)
    except Impossible:
        raise DataError(
            "The classes share so few groups that no division puts each of them into training, "
            "validation and test. Add videos of new groups to the classes that have the fewest, or "
            f"take such a class out. If {ledger.path} binds groups, deleting it frees them: {ANEW}."
        ) from None
    rows = [
        (video.hash, video.path, video.label, video.group or None, SPLITS[split], group.name)
        for group, split in zip(groups, split_of, strict=True)
        for video in group.videos
    ]
    table = pd.DataFrame(rows, columns=[*COLUMNS, "kept_with"])
    alone = ~table["kept_with"].duplicated(keep=False) & table["group"].isna()
    table["kept_with"] = table["kept_with"].mask(alone)
    return Division(table.sort_values("path", ignore_index=True), left_out, moved, absent)


def refuse_too_few(videos: pd.DataFrame, ledger: Ledger) -> None:
    """Raise `DataError` if groups and splits alone already make `divide` impossible.

    Args:
        videos: as for `divide`, but for `alike`; `hash` may be any unique name.
        ledger: as for `divide`.
    """
    bound, _ = _bind(videos, ledger)
    _needs(sorted({video.label for video in bound}), _groups(bound, ledger), ledger)


def _bind(videos: pd.DataFrame, ledger: Ledger) -> tuple[list[Video], list[str]]:
    """The videos with what binds each by itself, and the paths that an official split moves."""
    former = ledger.splits()
    given = set(videos["split"].dropna())
    # What an official division does not name is carved out of its training part.
    carved = ALL - given if "train" in given else frozenset()
    bound, moved = [], []
    rows = videos[COLUMNS].sort_values("path").astype(object).fillna("")
    for digest, path, label, group, split in rows.to_numpy().tolist():
        allowed, by, once = ALL, "", former.get(digest)
        if split:
            by = "the column `split`"
            allowed = frozenset({split}) | (carved if split == "train" else frozenset())
        official = len(allowed) == 1
        if once in allowed:
            allowed, by = frozenset({str(once)}), by if official else "the ledger"
        elif once:
            moved.append(path)
        bound.append(Video(digest, path, label, group, allowed, by, official))
    return bound, moved


def _groups(videos: list[Video], ledger: Ledger) -> list[Group]:
    """The groups of these videos. Raises `DataError` if one may stand in no split."""
    groups: dict[tuple[str, str], Group] = {}
    for video in videos:
        key = (video.group, "" if video.group else video.hash)
        group = groups.setdefault(key, Group(video.group or video.path))
        group.videos.append(video)
        group.allowed &= video.allowed
    torn = [group for group in groups.values() if not group.allowed]
    if torn:
        raise _torn(torn, ledger)
    # A group whose videos were all taken out is remembered by its name.
    former = ledger.group_splits()
    for (name, _), group in groups.items():
        if former.get(name) in group.allowed:
            group.allowed = frozenset({former[name]})
    return list(groups.values())


def _needs(
    labels: list[str], groups: list[Group], ledger: Ledger
) -> tuple[Bools, dict[str, list[str]]]:
    """Whether each class is needed in each split (S, K), and the official gaps by class.

    Raises:
        DataError: a class has too few groups for where it is needed.
    """
    needed = np.ones((len(SPLITS), len(labels)), dtype=bool)
    absent = {}
    of_label: dict[str, list[Group]] = {label: [] for label in labels}
    for group in groups:
        for label in {video.label for video in group.videos}:
            of_label[label].append(group)
    for k, (label, ours) in enumerate(of_label.items()):
        if all(group.official for group in ours):
            there = {split for group in ours for split in group.allowed}
            needed[:, k] = [split in there or split == "train" for split in SPLITS]
            if there != ALL:
                absent[label] = [split for split in SPLITS if split not in there]
        _refuse_too_few(label, ours, needed[:, k], ledger)
    return needed, absent


def _shuffled(group: Group, seed: int) -> str:
    """A sort key that depends on the seed and the content, not on names."""
    hashes = sorted(video.hash for video in group.videos)
    return hashlib.sha256(" ".join([str(seed), *hashes]).encode()).hexdigest()


def _torn(torn: list[Group], ledger: Ledger) -> DataError:
    """The error about groups that are bound to two splits."""
    group = torn[0]
    where: dict[tuple[str, str], list[str]] = {}
    for video in group.videos:
        if video.bound_by:
            key = (" or ".join(sorted(video.allowed)), video.bound_by)
            where.setdefault(key, []).append(video.path)
    parts = " and ".join(
        f"{len(paths)} in {split} by {by} ({some(paths)})" for (split, by), paths in where.items()
    )
    others = f", and so do {len(torn) - 1} other groups" if len(torn) > 1 else ""
    remedies = []
    if any(by == "the ledger" for _, by in where):
        remedies.append(
            "Restore the groups as they were (ingest.group_pattern, or the column `group`). Or, "
            f"if the new groups are right, delete {ledger.path}: {ANEW}."
        )
    if any(by != "the ledger" for _, by in where):
        remedies.append("Correct the column `split` or `group` of videos.csv.")
    return DataError(
        f"The group {group.name!r} stands in two splits{others}: {parts}. Clips of one source "
        f"would be trained on and tested on. {' '.join(remedies)}"
    )


def _refuse_too_few(label: str, groups: list[Group], needed: Bools, ledger: Ledger) -> None:
    """Raise `DataError` if the groups of a class cannot fill the splits in which it is needed.

    By Hall's theorem that is so exactly if some of these splits are more than the groups that may
    stand in any of them.
    """
    wanted = [split for split, needs in zip(SPLITS, needed, strict=True) if needs]
    short, _, splits = max(
        (size - sum(not group.allowed.isdisjoint(some) for group in groups), -size, some)
        for size in range(1, len(wanted) + 1)
        for some in combinations(wanted, size)
    )
    if short <= 0:
        return
    able = [group for group in groups if not group.allowed.isdisjoint(splits)]
    names = f" ({some([group.name for group in able])})" if able else ""
    remedy = (
        f"Add videos of {count(short, 'more group')} (another source, person, camera), or take the "
        "class out."
    )
    if any(group.official for group in groups):
        remedy += " Or correct the column `split` of videos.csv."
    if any(len(group.allowed) == 1 and not group.official for group in groups):
        remedy += f" Or delete {ledger.path}, which binds its groups: {ANEW}."
    if any(group.joined for group in groups):
        remedy += (
            " Near-duplicates join groups; if they are not the same, raise ingest.min_likeness."
        )
    raise DataError(
        f"The class {label!r} needs a group each for {', '.join(splits)}, and of its "
        f"{count(len(groups), 'group')} {len(able)} may stand there{names}; a video without a "
        f"group counts as one. {remedy}"
    )
