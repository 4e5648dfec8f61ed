"""From labelled files to a manifest of usable videos and a list of those set aside.

Every file gets exactly one row in exactly one of the two tables. Exact duplicates are found by
content: the first path keeps the row, with the group and the split of any of them, and the others
are set aside as `duplicate`; the same bytes under two labels, groups or splits are an error, since
one of the two is wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

import pandas as pd

from reelflow.base.errors import DataError, VideoError
from reelflow.base.parallel import each
from reelflow.base.progress import track
from reelflow.dataset.check_cache import CheckCache, Verdict
from reelflow.dataset.fingerprints import Pictures, fingerprint
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.intake.quarantine import DUPLICATE, listed, unusable
from reelflow.video.check_by_decoding import DamagedVideoError, VideoInfo, check_video
from reelflow.video.damage_policy import SET_ASIDE, Policy
from reelflow.video.file_changed import changed, hash_and_stamp, stamp_of
from reelflow.video.open_safely import refuse_name, regular_file_size
from reelflow.video.process_limits import Bounds
from reelflow.video.thumbnails import Thumbnails

_FACTS = [field.name for field in fields(VideoInfo) if field.name != "hash"]
MANIFEST_COLUMNS = ["hash", "path", "label", "group", "split", *_FACTS, "duplicates"]


@dataclass(frozen=True)
class Catalogue:
    """The two tables, sorted by path.

    Attributes:
        manifest: a row a usable video, `MANIFEST_COLUMNS`.
        quarantine: a row a file set aside, as in `reelflow.intake.quarantine`.
    """

    manifest: pd.DataFrame
    quarantine: pd.DataFrame

    @property
    def bad(self) -> pd.DataFrame:
        """The rows of `quarantine` that cannot be used; duplicates are no fault."""
        return unusable(self.quarantine)

    @property
    def filled(self) -> pd.DataFrame:
        """The rows of `manifest` that are used though they are damaged."""
        return self.manifest[self.manifest["intact"] < self.manifest["frames"]]


def catalogue(
    root: Path,
    videos: list[LabelledVideo],
    bounds: Bounds,
    workers: int,
    cache: CheckCache,
    *,
    links_to: Sequence[Path] = (),
    policy: Policy = SET_ASIDE,
    odd: Iterable[VideoError] = (),
) -> Catalogue:
    """Check every file and sort it into the manifest or the quarantine.

    Args:
        root: folder that the paths of `videos` are relative to.
        videos: what to check.
        bounds: limits of each decoder.
        workers: videos at once, 0 for one a core.
        cache: what is known already.
        links_to: folders besides `root` that symbolic links may lead to.
        policy: which of the videos that cannot be decoded to their end are used all the same.
        odd: further files that are set aside.

    Raises:
        DataError: the same bytes stand under two labels, in two groups or in two splits.
    """
    verdicts: dict[str, Verdict] = {}
    within = [folder.resolve() for folder in (root, *links_to)]
    for video in videos:
        try:
            refuse_name(video.path)
            regular_file_size(root / video.path, within, most_bytes=bounds.most_bytes)
        except VideoError as error:
            verdicts[video.path] = error
    readable = [video.path for video in videos if video.path not in verdicts]
    hashed = dict(_hashes(root, readable, workers, cache))
    same_bytes: dict[str, list[LabelledVideo]] = defaultdict(list)
    for video in videos:
        if video.path in hashed:
            same_bytes[hashed[video.path][0]].append(video)
    _refuse_conflicts(same_bytes.values())

    firsts = {same[0].path: hashed[same[0].path] for same in same_bytes.values()}
    for path, verdict in _verdicts(root, firsts, bounds, workers, cache):
        verdicts[path] = policy.verdict(verdict)

    rows, aside = [], list(odd)
    for video in videos:
        known = verdicts.get(video.path)
        if isinstance(known, VideoInfo):
            same = same_bytes[hashed[video.path][0]]
            row = vars(_known_of(same))
            rows.append({**vars(known), **row, "duplicates": len(same) - 1})
        elif known:
            aside.append(VideoError(video.path, known.code, known.reason, known.remedy))
        else:
            first = same_bytes[hashed[video.path][0]][0].path
            reason = f"It has the same bytes as {first}."
            remedy = "Nothing to do: the other one is used."
            aside.append(VideoError(video.path, DUPLICATE, reason, remedy))
    return Catalogue(pd.DataFrame(rows, columns=MANIFEST_COLUMNS), listed(aside))


def _hashes(
    root: Path, paths: list[str], workers: int, cache: CheckCache
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each path with the hash of its content and the stamp of the file before it was read."""
    unknown = []
    for path in paths:
        stamp = stamp_of(root / path)
        known = cache.hash_of(root / path, stamp)
        if known:
            yield path, (known, stamp)
        else:
            unknown.append(path)
    hashed = each(lambda path: hash_and_stamp(root / path), unknown, workers)
    for path, (digest, stamp) in track(hashed, len(unknown), "hashing videos"):
        cache.store_hash(root / path, digest, stamp)
        yield path, (digest, stamp)


def _verdicts(
    root: Path, firsts: dict[str, tuple[str, str]], bounds: Bounds, workers: int, cache: CheckCache
) -> Iterator[tuple[str, Verdict]]:
    """The verdict on each file, by hash and stamp; only content that is new is decoded."""
    unknown = []
    for path, (digest, _) in firsts.items():
        known = cache.verdict_on(digest, root / path)
        if known:
            yield path, known
        else:
            unknown.append((path, digest))
    checked = each(partial(check_one, root, bounds), unknown, workers)
    for (path, digest), (verdict, pictures) in track(checked, len(unknown), "checking videos"):
        if stamp_of(root / path) != firsts[path][1]:
            # The file changed meanwhile, so the verdict may be on other bytes.
            yield path, changed(root / path)
            continue
        if pictures is not None:
            cache.store_fingerprint(digest, pictures)
        cache.store_verdict(digest, verdict)
        yield path, verdict


def check_one(root: Path, bounds: Bounds, item: tuple[str, str]) -> tuple[Verdict, Pictures | None]:
    """The verdict on a new video, and the fingerprint of what could be decoded.

    Args:
        root: folder that the path is relative to.
        bounds: limits of each decoder.
        item: the path, and the hash of its content.
    """
    path, digest = item
    verdict: Verdict
    thumbnails = Thumbnails()
    try:
        verdict = check_video(root / path, bounds, known_hash=digest, thumbnails=thumbnails)
    except DamagedVideoError as error:
        verdict = error
    except VideoError as error:
        return error, None
    return verdict, fingerprint(thumbnails.pictures)


def _refuse_conflicts(contents: Collection[list[LabelledVideo]]) -> None:
    for kind in ("label", "group", "split"):
        torn = [same for same in contents if len({getattr(v, kind) for v in same} - {None}) > 1]
        if torn:
            names = " and ".join(f"{video.path} ({getattr(video, kind)})" for video in torn[0])
            many = f", and so it is with {len(torn) - 1} more" if len(torn) > 1 else ""
            values = len({getattr(video, kind) for video in torn[0]} - {None})
            raise DataError(
                f"The same bytes stand under {values} {kind}s: {names}{many}. One {kind} is wrong: "
                f"correct the {kind}, or remove the file."
            )


def _known_of(same: Sequence[LabelledVideo]) -> LabelledVideo:
    """The first of files with the same bytes, with the group and the split that any of them has."""
    group = next((video.group for video in same if video.group), None)
    split = next((video.split for video in same if video.split), None)
    return replace(same[0], group=group, split=split)


def too_few(labels: Iterable[str], least: int, asked_by: str) -> str:
    """Why these labels of videos are too few to learn from, with a remedy; empty if they are not.

    Args:
        labels: of all videos.
        least: videos that each class must have.
        asked_by: the setting that asks for so many.
    """
    counts = class_counts(labels)
    if len(counts) < 2:
        return (
            f"There is one class only ({', '.join(counts)}): a classifier needs at least two. Add "
            "videos of another class."
        )
    few = ", ".join(f"{label} has {n}" for label, n in counts.items() if n < least)
    remedy = "Add videos of the class, or take it out."
    return f"Too few videos: {few}; {asked_by} asks for {least}. {remedy}" if few else ""


def class_counts(labels: Iterable[str]) -> dict[str, int]:
    """How many videos each class has, by name."""
    return dict(sorted(Counter(labels).items()))
