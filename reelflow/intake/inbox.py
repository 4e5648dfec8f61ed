"""Taking labelled videos from an inbox into the raw folder, once and only once.

    inbox/<class>/<any folders>/clip.mp4   ->   raw/<class>/<any folders>/clip.mp4

Content decides what is new, names do not: the same bytes under the same label are known, the same
bytes under another label stay in the inbox for a person to judge. A folder below the class is a
group: raw gets a `videos.csv` when the first one comes, where it has none. The order of steps makes
a kill at any moment harmless: a file is linked (or copied) into raw whole, its row is written where
raw has a `videos.csv`, and only then does it leave the inbox; whatever was cut short is recognised
by its bytes on the next run. Files that are in raw already are never written to: their bytes may be
shared with DVC's cache.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from reelflow.base.errors import VideoError
from reelflow.base.files import digest_of, remove_left_over, replacing
from reelflow.intake.known_videos import Held, files_below
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.video.open_safely import refuse_unusable

UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", "~")

# Not one file's trouble but everyone's: these stop the run.
_STOPPING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class InboxReport:
    """What became of the files in the inbox.

    Attributes:
        new: taken, as paths relative to raw.
        known: bytes that raw already had under that label; gone from the inbox, relative to it.
        left: still in the inbox, relative to it, each with a sentence that says why.
    """

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Arrival:
    path: Path
    place: Path  # relative to the inbox, and to raw unless the name is taken
    digest: str
    seen: os.stat_result

    @property
    def label(self) -> str:
        return self.place.parts[0]

    @property
    def group(self) -> str:
        """The folder below the class: what was put together there stays together in a split."""
        return self.place.parts[1] if len(self.place.parts) > 2 else ""

    def agrees(self, labels: Set[str], groups: Set[str]) -> bool:
        """Whether it can be what these say."""
        return self.label in labels and (not self.group or self.group in groups)


def take(
    inbox: Path,
    raw: Path,
    *,
    now: float,
    settle_s: float = 30.0,
    links_to: Sequence[Path] = (),
    most_bytes: int = 0,
) -> InboxReport:
    """Move what is new in `inbox` into `raw`, and say what became of every file.

    Args:
        inbox: a folder per class; need not exist.
        raw: a folder per class, or one with a `videos.csv`, which gets a row a new video.
        now: seconds since the epoch, the clock of the files' times.
        settle_s: a file that changed less than this many seconds ago may still be growing; it is
            left for the next time.
        links_to: folders besides the inbox that symbolic links in it may lead to.
        most_bytes: size beyond which a file is left; 0 for no limit.

    Raises:
        DataError: raw's `videos.csv` cannot be read, see `reelflow.intake.labelled_videos.rows_of`.
        OSError: the disk is full or read-only; nothing is lost, the same call goes on later.
    """
    report = InboxReport()
    remove_left_over(raw, below=True)  # copies that a kill cut short: their source is in the inbox
    held = Held(raw)
    by_content: dict[str, list[_Arrival]] = defaultdict(list)
    for arrival in _arrivals(inbox, now - settle_s, links_to, most_bytes, report):
        by_content[arrival.digest].append(arrival)
    done: list[_Arrival] = []
    for same in by_content.values():
        try:
            done += _take_one(same, raw, held, report)
        except OSError as error:
            if error.errno in _STOPPING:
                raise
            report.left.extend((each.place.as_posix(), _trouble(error)) for each in same)
    held.write()
    _clear(done, report)
    return report


def _take_one(same: list[_Arrival], raw: Path, held: Held, report: InboxReport) -> list[_Arrival]:
    """Bring one content into raw; returns the arrivals that may now leave the inbox."""
    there = held.same_content(same[0].seen.st_size, same[0].digest)
    rows = [video for video in there.values() if video]
    labels = {video.label for video in rows} or {each.label for each in same}
    said = {video.group for video in rows if video.group}
    groups = said or {each.group for each in same if each.group}
    # What raw says is right; where it says nothing, two arrivals that differ are both in doubt.
    doubt = (len(labels) > 1 and not rows) or (len(groups) > 1 and not said)
    right = [] if doubt else [each for each in same if each.agrees(labels, groups)]
    wrong = [each for each in same if each not in right]
    _leave(wrong, labels, groups, there if rows else (), report)
    if right and not rows:
        return _take_new(right, there, groups, raw, held, report)
    report.known.extend(each.place.as_posix() for each in right)
    if right and len(groups) == 1:
        held.complete(rows, *groups)
    return right


def _take_new(
    same: list[_Arrival],
    there: Iterable[str],
    groups: set[str],
    raw: Path,
    held: Held,
    report: InboxReport,
) -> list[_Arrival]:
    # Bytes in raw without a row: a run was cut short between the two; the row is what is missing.
    place = next(iter(there), None) or _bring(same[0], raw)
    if place is None:
        growing = "It changed while it was read. It is taken the next time."
        report.left.extend((each.place.as_posix(), growing) for each in same)
        return []
    held.add(LabelledVideo(place, same[0].label, next(iter(groups), None)))
    report.new.append(place)
    report.known.extend(each.place.as_posix() for each in same[1:])
    return same


def _leave(
    arrivals: list[_Arrival],
    labels: set[str],
    groups: set[str],
    there: Iterable[str],
    report: InboxReport,
) -> None:
    """The same bytes cannot show two classes: which one is right, only a person can say."""
    where = [f"raw/{path}" for path in there] + [f"inbox/{each.place}" for each in arrivals]
    for each in arrivals:
        kind, others = "label", sorted(labels - {each.label})
        if not others:
            kind, others = "group", sorted(groups - {each.group})
        reason = (
            f"The same bytes also have the {kind} {', '.join(others)} ({', '.join(where)}). Delete "
            f"the file whose {kind} is wrong."
        )
        report.left.append((each.place.as_posix(), reason))


def _bring(arrival: _Arrival, raw: Path) -> str | None:
    """Link or copy an arrival into raw; returns its path there, None if it changed meanwhile."""
    target = _free_name(raw / arrival.place, arrival.digest)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not _link(arrival, target):
        with replacing(target) as temporary:
            shutil.copyfile(arrival.path, temporary)
    now = arrival.path.stat()
    if (now.st_size, now.st_mtime_ns) != (arrival.seen.st_size, arrival.seen.st_mtime_ns):
        target.unlink()
        return None
    return target.relative_to(raw).as_posix()


def _free_name(target: Path, digest: str) -> Path:
    """`target`, or where other bytes have that name, one with a part of the content hash."""
    for mark in ("", f"-{digest[:8]}", f"-{digest}"):
        free = target.with_name(f"{target.stem}{mark}{target.suffix}")
        if not os.path.lexists(free):
            return free
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


def _link(arrival: _Arrival, target: Path) -> bool:
    """Link where the bytes are ours alone: another name or owner could still change them."""
    found = arrival.path.lstat()
    if arrival.path.is_symlink() or found.st_nlink > 1 or found.st_uid != os.getuid():
        return False
    try:
        os.link(arrival.path, target)
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            return False
        raise
    return True


def _clear(done: list[_Arrival], report: InboxReport) -> None:
    for arrival in done:
        try:
            arrival.path.unlink()
        except OSError as error:
            reason = f"It is in raw, but cannot be taken out of the inbox: {error.strerror}."
            report.left.append((arrival.place.as_posix(), reason))


def _arrivals(
    inbox: Path, settled: float, links_to: Sequence[Path], most_bytes: int, report: InboxReport
) -> Iterator[_Arrival]:
    """Files that are whole and have a class, in the order of their paths."""
    for path in files_below(inbox):
        place = path.relative_to(inbox)
        try:
            within = (inbox, *links_to)
            reason = _why_not(path, place, settled) or _refused(path, within, most_bytes)
            if not reason:
                seen = path.stat()
                yield _Arrival(path, place, digest_of(path), seen)
        except OSError as error:
            reason = _trouble(error)
        if reason:
            report.left.append((_shown(place), reason))


def _why_not(path: Path, place: Path, settled: float) -> str:
    if path.is_dir():
        return "It is a link to a folder. Put the files themselves here."
    if not path.is_file():
        return "It is no file, or a link to nothing. Put the video itself here."
    if len(place.parts) == 1:
        return "It lies in no class. Put it into a folder with the name of its class."
    if _shown(place) != str(place):
        return "Its name is not valid UTF-8. Rename it."
    if path.name.lower().endswith(UNFINISHED):
        return "Its name is that of an unfinished download. It is taken under its final name."
    found = path.stat()
    if max(found.st_mtime, found.st_ctime) > settled:
        return "It was changed a moment ago and may still be growing. It is taken the next time."
    if not found.st_size:
        return "It is empty. Put the video here again, or delete it."
    return ""


def _refused(path: Path, within: Sequence[Path], most_bytes: int) -> str:
    try:
        refuse_unusable(path, within, most_bytes=most_bytes)
    except VideoError as error:
        return f"{error.reason} {error.remedy}"
    return ""


def _shown(place: Path) -> str:
    return str(place).encode("utf-8", "replace").decode("utf-8")


def _trouble(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{where}. Mend that, and it is taken the next time."
