"""Finding out what an import would do to the raw folder, before anything is touched.

Videos are compared by their bytes where their sizes agree, and only where one of them is new.
"""

from __future__ import annotations

import filecmp
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from reelflow.contents import Contents, only_copies, same_file
from reelflow.errors import DataError, VideoError
from reelflow.labelled import CSV_NAME, LabelledVideo, is_outside, some
from reelflow.listing import files_in, folders_say_all, known_videos
from reelflow.plan import Plan
from reelflow.sources import Source
from reelflow.video.check import hash_file
from reelflow.video.source import resolved


def plan_import(
    source: Source,
    raw: Path,
    ledger: Path,
    *,
    adding: bool = False,
    replacing: bool = False,
    skip_missing: bool = False,
    links_to: Sequence[Path] = (),
    kept: Callable[[Path], bool] = lambda _: False,
) -> Plan:
    """Find out what bringing `source` into `raw` means. Nothing is written.

    Args:
        source: what to bring.
        raw: the folder that the pipeline reads; need not exist.
        ledger: machine-local JSON file that says what was brought by former calls.
        adding: keep what is in `raw`; else `raw` will hold the videos of the source alone.
        replacing: whether what former calls brought may be taken out or changed for that.
        skip_missing: whether the source may name files that are not there.
        links_to: folders outside the source that symbolic links in it may lead to.
        kept: tells whether the bytes of a file are kept elsewhere, besides under other names.

    Raises:
        DataError: the same bytes have two labels; a link leads out of the source; a name is no
            text; nothing is there.
    """
    if not source.videos and (skip_missing or not source.missing):
        raise DataError(f"{source.origin} names {len(source.missing)} videos, and none is there.")
    _refuse_links_out(source, links_to)
    plan = Plan(source, adding, known_videos(raw))
    if source.missing and not skip_missing:
        named = len(source.missing) + len(source.videos)
        plan.obstacles.append(
            f"{source.origin} names {len(source.missing)} of {named} files that do not exist "
            f"({some(source.missing)}). Correct the paths, which are relative to {source.folder}, "
            "take the rows out, or leave them out with `reelflow import --skip-missing`."
        )
    present = files_in(raw)
    if adding:
        plan.after = dict(plan.before)
        _add(plan, raw, present)
    else:
        _mirror(plan, raw)
        former = brought(ledger)
        plan.gone = sorted(present - set(plan.after) - {CSV_NAME})
        plan.overwritten = sorted(
            name
            for name in present & set(plan.put)
            if not filecmp.cmp(plan.put[name], raw / name, shallow=False)
        )
        _forbid_losses(plan, raw, former, kept)
        if not (replacing or plan.obstacles):
            _ask_for_losses(plan, raw)
    _refuse_torn_groups(plan)
    _refuse_names(plan)
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
            _refuse_two_labels(plan, name, plan.after[name], other)
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
                _refuse_two_labels(plan, video.path, video, name)
            if listed[0] in plan.put:
                plan.duplicates.append((video.path, listed[0]))
            else:
                plan.there += 1
                _complete(plan, listed[0], video)
            continue
        # Bytes without a row: an import was cut short between the two; the row is what is missing.
        name = known[0] if known else _free(plan, _place(video), present, path)
        plan.after[name] = video
        if not known:
            plan.put[name] = path
            contents.note(name, path)


def _complete(plan: Plan, name: str, video: LabelledVideo) -> None:
    """Give a video that is there the group and the split that the source says, where it does."""
    old = plan.after[name]
    new = replace(old, group=video.group or old.group, split=video.split or old.split)
    if new != old:
        plan.after[name] = new
        plan.changed.append(name)


def _free(plan: Plan, name: str, present: set[str], path: Path) -> str:
    """The name, or where other bytes have it, one with a part of the content hash."""
    if name not in present and name not in plan.after:
        return name
    place = PurePosixPath(name)
    return place.with_name(f"{place.stem}-{hash_file(path)[:8]}{place.suffix}").as_posix()


def _refuse_two_labels(plan: Plan, name: str, video: LabelledVideo, other: str) -> None:
    labels = (video.label, plan.after[other].label)
    if labels[0] != labels[1]:
        raise DataError(
            f"The same bytes stand under 2 labels: {name} ({labels[0]}) and {other} ({labels[1]}). "
            "One label is wrong: remove or relabel the file."
        )


def _refuse_links_out(source: Source, links_to: Sequence[Path]) -> None:
    """A link would bring in what whoever made the folder may not even have seen. What a csv names
    outside its folder is meant."""
    for video in source.videos:
        if is_outside(video.path):
            continue
        try:
            resolved(source.folder / video.path, (source.folder, *links_to))
        except VideoError as error:
            raise DataError(str(error)) from None


def _place(video: LabelledVideo) -> str:
    """Where a video goes in the raw folder: where it was, or under its label if that is outside."""
    if is_outside(video.path):
        parts = PurePosixPath(video.label, video.path.lstrip("/")).parts
        return PurePosixPath(*[part for part in parts if part not in ("/", "..")]).as_posix()
    return PurePosixPath(video.path).as_posix()


def _forbid_losses(plan: Plan, raw: Path, former: set[str], kept: Callable[[Path], bool]) -> None:
    """Nothing is taken out that came by another way, or that would be lost by it."""
    foreign = sorted(files_in(raw) - former - {CSV_NAME})
    if foreign:
        plan.obstacles.append(
            f"{raw} holds {len(foreign)} files that did not come from {plan.source.origin} (e.g. "
            f"{foreign[0]}). To run on them, leave DATA away. To add the videos of "
            f"{plan.source.origin} to them, use `reelflow import --add`. To run on "
            f"{plan.source.origin} instead, move {raw} out of the way first."
        )
        return
    lost = only_copies(raw, plan.gone, kept)
    if lost:
        plan.obstacles.append(
            f"{len(lost)} files of {raw} would be taken out, of which there is no other copy "
            f"({some(lost)}). Keep them with `reelflow import --add`, or remove them with "
            "`reelflow remove --force`."
        )


def _ask_for_losses(plan: Plan, raw: Path) -> None:
    """A slip in the name of a source must not cost what another one brought."""
    if losses := plan.losses():
        plan.obstacles.append(
            f"{raw} would lose something to {plan.source.origin}: {'; '.join(losses)}. Nothing was "
            "changed. If that is meant, run the same command with `--replace`. To keep what is "
            f"there and add to it, use `reelflow import --add {plan.source.origin}`."
        )


def _refuse_torn_groups(plan: Plan) -> None:
    """`preprocess` would refuse it, too, but after all videos have been decoded."""
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


def _refuse_names(plan: Plan) -> None:
    """A csv could not hold them. Where there is none, `ingest` sets such files aside."""
    if folders_say_all(plan.after):
        return
    for name, video in plan.after.items():
        try:
            f"{name}{video.label}{video.group}".encode()
        except UnicodeEncodeError:
            plan.obstacles.append(f"{name!r} is not valid UTF-8. Rename the file.")
