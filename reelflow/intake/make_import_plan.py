"""Planning an import: what it would do to the raw folder, before anything changes there.

Videos are compared by their bytes where their sizes agree, and only where one of them is new.
"""

from __future__ import annotations

import filecmp
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from reelflow.base.errors import DataError, VideoError
from reelflow.base.words import some
from reelflow.intake.file_names import files_in, free_name, linked_folder
from reelflow.intake.import_plan import Plan
from reelflow.intake.labelled_videos import CSV_NAME, LabelledVideo, is_outside
from reelflow.intake.quarantine import sentences
from reelflow.intake.read_folder_or_csv import Source
from reelflow.intake.same_bytes import Contents, only_copies, same_file
from reelflow.intake.scan_folder import let_through, set_aside
from reelflow.intake.videos_csv import known_videos
from reelflow.video.open_safely import refuse_name, refuse_unusable

# What is recorded of a video; the same bytes have one value of each.
_KINDS = ("label", "group", "split")


def plan_import(
    source: Source,
    raw: Path,
    ledger: Path,
    *,
    adding: bool = False,
    replacing: bool = False,
    skip_missing: bool = False,
    links_to: Sequence[Path] = (),
    most_bytes: int = 0,
    kept: Callable[[Path], bool] = lambda _: False,
) -> Plan:
    """Plan to bring `source` into `raw`. Writes nothing.

    Args:
        source: what to bring.
        raw: the folder that the pipeline reads; need not exist.
        ledger: JSON file of this machine that lists what former imports brought.
        adding: keep what is in `raw`; else `raw` will hold the videos of the source alone.
        replacing: whether what former calls brought may be taken out or changed for that.
        skip_missing: whether the source may name files that are not there.
        links_to: folders outside the source that symbolic links in it may lead to.
        most_bytes: size beyond which a file is set aside; 0 for no limit.
        kept: whether the bytes of a file are kept elsewhere, besides under other names.

    Raises:
        DataError: the same bytes have two labels; nothing is there, or nothing that can be used.
    """
    if not source.videos and (skip_missing or not source.missing):
        raise DataError(f"{source.origin} names {len(source.missing)} videos, and none is there.")
    source, odd = _usable(source, links_to, most_bytes)
    plan = Plan(source, adding, known_videos(raw), aside=odd)
    if source.missing and not skip_missing:
        named = len(source.missing) + len(source.videos)
        plan.obstacles.append(
            f"{source.origin} names {len(source.missing)} of {named} files that do not exist "
            f"({some(source.missing)}). Correct the paths, which are relative to {source.folder}, "
            "take the rows out, or import with the option `--skip-missing`."
        )
    present = files_in(raw)
    if adding:
        plan.after = dict(plan.before)
        _add(plan, raw, present)
        links = {linked_folder(raw, name) for name in plan.put}
        plan.obstacles += [
            f"{link} is a link to {link.resolve()}, which stays as it is. Put a folder in place of "
            "the link; its videos can be imported with `--add`, too."
            for link in sorted(filter(None, links))
        ]
    else:
        _mirror(plan, raw)
        plan.gone = sorted(present - set(plan.after) - {CSV_NAME})
        plan.overwritten = sorted(
            name
            for name in present & set(plan.put)
            if not filecmp.cmp(plan.put[name], raw / name, shallow=False)
        )
        _forbid_losses(plan, raw, sorted(present - brought(ledger) - {CSV_NAME}), kept)
        # Ask first: a typing error in the name of a source must not cost what another one brought.
        if not (replacing or plan.obstacles) and (losses := plan.losses()):
            plan.obstacles.append(
                f"{raw} would lose something to {source.origin}: {'; '.join(losses)}. Nothing was "
                "changed. If that is meant, run the same command with the option `--replace`. To "
                "keep what is there and add to it, import with the option `--add`."
            )
    _refuse_torn_groups(plan)
    return plan


def brought(ledger: Path) -> set[str]:
    """The names that former imports brought, as `ledger` has them."""
    try:
        return set(json.loads(ledger.read_text(encoding="utf-8"))["files"])
    except FileNotFoundError:
        return set()


def _mirror(plan: Plan, raw: Path) -> None:
    """Raw will hold the source's videos under the source's names."""
    contents = Contents()
    for video in plan.source.videos:
        name, path = _place(video), plan.source.folder / video.path
        if name in plan.after:
            raise DataError(
                f"{plan.source.origin} names {plan.after[name].path} and {video.path}, which would "
                f"both become {raw / name}. Rename one of them."
            )
        plan.after[name] = video
        if same_file(path, raw / name):
            plan.there += 1
            contents.note(name, path)
        else:
            plan.put[name] = path
    for name, path in plan.put.items():
        others = contents.same(path)
        for other in others:
            _refuse_conflict(plan, name, plan.after[name], other, _KINDS)
        if others:
            plan.duplicates.append((plan.after[name].path, others[0]))
        contents.note(name, path)


def _add(plan: Plan, raw: Path, present: set[str]) -> None:
    """Raw keeps what it has and gets what it lacks, by content."""
    contents = Contents()
    for name in sorted(present - {CSV_NAME}):
        contents.note(name, raw / name)
    for video in plan.source.videos:
        path = plan.source.folder / video.path
        known = contents.same(path)
        listed = [name for name in known if name in plan.after]
        if listed:
            for name in listed:
                # Of a video that raw has, an addition may change the group and the split.
                kinds = _KINDS if name in plan.put else _KINDS[:1]
                _refuse_conflict(plan, video.path, video, name, kinds)
            if listed[0] in plan.put:
                plan.duplicates.append((video.path, listed[0]))
            else:
                plan.there += 1
            _complete(plan, listed[0], video)
            continue
        # Bytes without a row: a kill came between the two, and only the row is missing.
        name = known[0] if known else free_name(raw, _place(video), path, plan.after)
        plan.after[name] = video
        if not known:
            plan.put[name] = path
            contents.note(name, path)


def _complete(plan: Plan, name: str, video: LabelledVideo) -> None:
    """Give a video that is there the group and the split that the source has for it."""
    old = plan.after[name]
    new = replace(old, group=video.group or old.group, split=video.split or old.split)
    if new != old:
        plan.after[name] = new
        if name not in plan.put:
            plan.changed.append(name)


def _refuse_conflict(
    plan: Plan, name: str, video: LabelledVideo, other: str, kinds: Sequence[str]
) -> None:
    for kind in kinds:
        one, two = getattr(video, kind), getattr(plan.after[other], kind)
        if one and two and one != two:
            raise DataError(
                f"The same bytes stand under 2 {kind}s: {name} ({one}) and {other} ({two}). One "
                f"{kind} is wrong: correct it, or remove the file."
            )


def _usable(
    source: Source, links_to: Sequence[Path], most_bytes: int
) -> tuple[Source, list[VideoError]]:
    """The source without the files that may not be read, and the reasons for those. A csv may name
    files outside its folder, but a link may not lead there: its owner may not know of it."""
    within = [folder.resolve() for folder in (source.folder, *links_to)]
    by_folders = source.origin.is_dir() and not (source.origin / CSV_NAME).is_file()
    walked = set_aside(source.folder, links_to, most_bytes=most_bytes) if by_folders else []
    odd = {error.path: error for error in walked}
    for video in let_through(source.videos, walked):
        try:
            refuse_name(video.path)
            refuse_unusable(
                source.folder / video.path,
                () if is_outside(video.path) else within,
                most_bytes=most_bytes,
            )
        except VideoError as error:
            odd[video.path] = VideoError(video.path, error.code, error.reason, error.remedy)
    videos = list(let_through(source.videos, odd.values()))
    if odd and not videos:
        reasons = " ".join(sentences(list(odd.values())))
        raise DataError(f"{source.origin} holds no video that can be used. {reasons}")
    return replace(source, videos=videos), list(odd.values())


def _place(video: LabelledVideo) -> str:
    """Its place in the raw folder: its own path, or under its label if that leads outside."""
    if is_outside(video.path):
        parts = PurePosixPath(video.label, video.path.lstrip("/")).parts
        return PurePosixPath(*[part for part in parts if part not in ("/", "..")]).as_posix()
    return PurePosixPath(video.path).as_posix()


def _forbid_losses(plan: Plan, raw: Path, foreign: list[str], kept: Callable[[Path], bool]) -> None:
    """Refuse to remove what did not come by an import, and what has no other copy."""
    if foreign:
        plan.obstacles.append(
            f"{raw} holds {len(foreign)} files that did not come from {plan.source.origin} (e.g. "
            f"{foreign[0]}). To run on them, name no source. To add the videos of "
            f"{plan.source.origin} to them, import with the option `--add`. To run on "
            f"{plan.source.origin} instead, move {raw} out of the way first."
        )
        return
    lost = only_copies(raw, plan.gone, kept)
    if lost:
        plan.obstacles.append(
            f"{len(lost)} files of {raw} would be taken out, of which there is no other copy "
            f"({some(lost)}). Import with the option `--add` to keep them, or remove them by force."
        )


def _refuse_torn_groups(plan: Plan) -> None:
    """`preprocess` would refuse them, too, but only after all videos have been decoded."""
    splits: dict[str, set[str]] = {}
    for video in plan.after.values():
        if video.group and video.split:
            splits.setdefault(video.group, set()).add(video.split)
    torn = sorted(group for group, found in splits.items() if len(found) > 1)
    if torn:
        plan.obstacles.append(
            f"The official split parts {len(torn)} groups ({some(torn)}). Leave the groups away to "
            "use the split, or the split to keep the groups together."
        )
