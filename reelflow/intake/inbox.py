"""Taking labelled videos from an inbox into the raw folder, once and only once.

    inbox/<class>/<any folders>/clip.mp4   ->   raw/<class>/<any folders>/clip.mp4

Content decides what is new, not names: the same bytes under the same label are known, the same
bytes under another label stay in the inbox for a person to judge. A folder below the class is a
group: with the first group raw gets a `videos.csv`, if it has none. The order of steps makes
a kill at any moment harmless: a file is linked (or copied) into raw whole, its row is written where
raw has a `videos.csv`, and only then does it leave the inbox; the next run recognises by its bytes
whatever was cut short. Files that are in raw already are never written to: they may share their
bytes with DVC's cache.
"""

from __future__ import annotations

import errno
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from reelflow.base.errors import VideoError
from reelflow.base.files import remove_left_over
from reelflow.intake.apply_import import put
from reelflow.intake.file_names import files_in, free_name, linked_folder
from reelflow.intake.labelled_videos import CSV_NAME, LabelledVideo
from reelflow.intake.same_bytes import Contents
from reelflow.intake.videos_csv import known_videos, write_listing
from reelflow.video.file_changed import hash_and_stamp, stamp_of
from reelflow.video.open_safely import refuse_name, refuse_unusable

# Files that changed later than so many seconds ago may still be written to.
SETTLE_S = 30.0

_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", "~")


@dataclass(frozen=True)
class InboxReport:
    """What became of the files in the inbox.

    Attributes:
        new: taken, as paths relative to raw.
        known: bytes that raw already had under that label; gone from the inbox, relative to it.
        left: still in the inbox, relative to it, each with a sentence that gives the reason.
    """

    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)


class _Arrival(NamedTuple):
    path: Path
    video: LabelledVideo  # its path is relative to the inbox, and to raw unless the name is taken
    stamp: str


def take(
    inbox: Path,
    raw: Path,
    *,
    now: float,
    settle_s: float = SETTLE_S,
    links_to: Sequence[Path] = (),
    most_bytes: int = 0,
) -> InboxReport:
    """Move what is new in `inbox` into `raw`, and report what became of every file.

    Args:
        inbox: a folder per class; need not exist.
        raw: a folder per class, or one with a `videos.csv`, which gets a row a new video.
        now: seconds since the epoch, the clock of the files' times.
        settle_s: a file that changed less than this many seconds ago may still be growing; it is
            left for the next time.
        links_to: folders besides the inbox that symbolic links in it may lead to.
        most_bytes: size beyond which a file is left; 0 for no limit.

    Raises:
        DataError: raw's `videos.csv` cannot be read, see `rows_of` of
            `reelflow.intake.read_folder_or_csv`.
        OSError: the disk is full or read-only; nothing is lost, the same call goes on later.
    """
    report = InboxReport()
    remove_left_over(raw, below=True)  # copies that a kill cut short: their source is in the inbox
    before = known_videos(raw)
    videos, contents = dict(before), Contents()
    # A csv may lack the row of a file; without one, what lies in no class is no video.
    for name in sorted(files_in(raw) - {CSV_NAME} if (raw / CSV_NAME).is_file() else before):
        contents.note(name, raw / name)
    by_content: dict[str, list[_Arrival]] = defaultdict(list)
    for path in _files_below(inbox):
        place = path.relative_to(inbox)
        shown = str(place).encode("utf-8", "replace").decode()
        with _leaving(report, [shown]):
            _refuse_unfit(path, place, now - settle_s, (inbox, *links_to), most_bytes)
            # The folder below the class: videos that lie there together stay in one split.
            group = place.parts[1] if len(place.parts) > 2 else None
            video = LabelledVideo(shown, place.parts[0], group)
            digest, stamp = hash_and_stamp(path)
            by_content[digest].append(_Arrival(path, video, stamp))
    done: list[_Arrival] = []
    for same in by_content.values():
        with _leaving(report, [each.video.path for each in same]):
            done += _take_one(same, raw, videos, contents.same(same[0].path), report)
    if videos != before:
        write_listing(raw, videos, keep=True)
    for arrival in done:
        try:
            arrival.path.unlink()
        except OSError as error:
            reason = f"It is in raw, but cannot be taken out of the inbox: {error.strerror}."
            report.left.append((arrival.video.path, reason))
    return report


@contextmanager
def _leaving(report: InboxReport, names: Sequence[str]) -> Iterator[None]:
    """Report what cannot be taken as left, with the reason; a full disk stops everything."""
    try:
        yield
    except VideoError as error:
        reason = f"{error.reason} {error.remedy}"
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        where = f" ({error.filename})" if error.filename else ""
        reason = f"{error.strerror or error}{where}. Mend that, and it is taken the next time."
    else:
        return
    report.left.extend((name, reason) for name in names)


def _take_one(
    same: list[_Arrival],
    raw: Path,
    videos: dict[str, LabelledVideo],
    there: list[str],
    report: InboxReport,
) -> list[_Arrival]:
    """Bring one content into raw; returns the arrivals that may now leave the inbox.

    Args:
        same: at least one arrival.
        raw: the folder.
        videos: what raw records of its videos, by name; changed here.
        there: the names of the files in raw with these bytes.
        report: what became of the arrivals is added to it.
    """
    rows = {name: videos[name] for name in there if name in videos}
    left = [(arrival, _conflict(arrival, same, list(rows.values()))) for arrival in same]
    report.left.extend((arrival.video.path, reason) for arrival, reason in left if reason)
    right = [arrival for arrival, reason in left if not reason]
    if not right:
        return []
    known = [*rows.values(), *(arrival.video for arrival in right)]
    group = next((video.group for video in known if video.group), None)
    if rows:
        videos |= {name: replace(video, group=video.group or group) for name, video in rows.items()}
    else:
        # Bytes in raw without a row: a kill came between the two, and only the row is missing.
        name = there[0] if there else _bring(right[0], raw)
        videos[name] = LabelledVideo(name, right[0].video.label, group)
        report.new.append(name)
    report.known.extend(arrival.video.path for arrival in right[0 if rows else 1 :])
    return right


def _conflict(arrival: _Arrival, same: list[_Arrival], recorded: list[LabelledVideo]) -> str:
    """Why only a person can decide what these bytes show; empty if that is clear. What raw records
    is right; where it records nothing, arrivals that differ are in doubt."""
    for kind in ("label", "group"):
        own = getattr(arrival.video, kind)
        known = {getattr(video, kind) for video in recorded} - {None}
        values = known or {getattr(each.video, kind) for each in same} - {None}
        if (own and own not in known) if known else len(values) > 1:
            names = [f"raw/{video.path}" for video in recorded]
            names += [f"inbox/{each.video.path}" for each in same]
            return (
                f"The same bytes also have the {kind} {', '.join(sorted(values - {own}))} "
                f"({', '.join(names)}). Delete the file whose {kind} is wrong."
            )
    return ""


def _bring(arrival: _Arrival, raw: Path) -> str:
    """Link or copy an arrival into raw; its name there. Raises `VideoError` if it changed."""
    if link := linked_folder(raw, arrival.video.path):
        raise _waits(
            f"{link} is a link to a folder, which stays as it is.",
            "Put a folder in place of the link.",
        )
    name = free_name(raw, arrival.video.path, arrival.path)
    # Linked only where no other name and no other owner can still change the bytes.
    found = arrival.path.lstat()
    ours = not arrival.path.is_symlink() and found.st_nlink == 1 and found.st_uid == os.getuid()
    put(arrival.path, raw / name, copy=not ours)
    if stamp_of(arrival.path) != arrival.stamp:
        (raw / name).unlink()
        raise _waits("It changed while it was read.", "It is taken the next time.")
    return name


def _files_below(root: Path) -> list[Path]:
    """Files below `root` but the hidden ones; folders that are links are given as they are."""
    return sorted(
        path
        for path in root.rglob("*")
        if (path.is_symlink() or not path.is_dir())
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )


def _refuse_unfit(
    path: Path, place: Path, settled: float, within: Sequence[Path], most_bytes: int
) -> None:
    """Raise `VideoError` if a file waits in the inbox, and why."""
    if path.is_dir():
        raise _waits("It is a link to a folder.", "Put the files themselves here.")
    if len(place.parts) == 1:
        raise _waits("It lies in no class.", "Put it into a folder with the name of its class.")
    refuse_name(str(place))
    refuse_unusable(path, within, most_bytes=most_bytes)
    if path.name.lower().endswith(_UNFINISHED):
        reason = "Its name is that of an unfinished download."
        raise _waits(reason, "It is taken under its final name.")
    found = path.stat()
    if max(found.st_mtime, found.st_ctime) > settled:
        reason = "It was changed a moment ago and may still be growing."
        raise _waits(reason, "It is taken the next time.")


def _waits(reason: str, remedy: str) -> VideoError:
    return VideoError("", "waits", reason, remedy)
