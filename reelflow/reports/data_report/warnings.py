"""Warnings of the data report: what a person must know before learning from these videos.

A warning is a function of a `DataSet` that returns its sentence, or None where it does not apply;
`WARNINGS` is the list of them, the gravest first. To add one, write it and name it there. What the
expectations of `validate` report is not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable

from reelflow.base.words import count, interval, percent, quoted
from reelflow.dataset.groups_in_names import without_group
from reelflow.evaluation.shortcuts import BRIGHTNESS, EVERYTHING, Score
from reelflow.reports.data_report import tables
from reelflow.reports.data_report.content import DataSet

# A fifth of them is the test: five groups, one of which moves a figure by a fifth.
FEW_GROUPS, FEW_GROUPS_OF_A_CLASS = 25, 10
TEST_SHARE = 0.2
LARGE_SHARE_OF_A_CLASS = 0.5
UNEQUAL = 10
LARGE_SHARE_SET_ASIDE = 0.1
LARGE_SHARE = 0.1


def warnings(data: DataSet) -> list[str]:
    """The sentences of the warnings that apply, those of the expectations first."""
    found = (warning(data) for warning in WARNINGS)
    return [*data.warned, *(sentence for sentence in found if sentence)]


def _one_group_of_a_class(data: DataSet) -> str | None:
    single = [row["label"] for row in tables.classes(data) if row["groups"] == 1]
    if not single:
        return None
    return (
        f"All clips of {quoted(single)} come from one group: whatever is particular to that source "
        "will be learned as the class, and no test shows it. Add clips of other sources."
    )


def _one_group_of_most(data: DataSet) -> str | None:
    large = [
        row["label"]
        for row in tables.classes(data)
        if row["groups"] > 1 and row["largest"] > LARGE_SHARE_OF_A_CLASS and row["videos"] > 4
    ]
    if not large:
        return None
    return (
        f"More than half of the clips of {quoted(large)} come from one group. What is particular "
        "to that source weighs as much as the class; add clips of other sources."
    )


def _predicted_by_file_properties(data: DataSet) -> str | None:
    found = data.shortcuts
    if found is None or not found.by[EVERYTHING].alarming:
        return None
    named = [label for label, each in found.classes.items() if each.alarming]
    mostly = max(
        (name for name in found.by if name not in (EVERYTHING, BRIGHTNESS)),
        key=lambda name: found.by[name].low or 0.0,
    )
    classes = f", {quoted(named)} most of all" if 0 < len(named) < len(found.classes) else ""
    groups = " of groups" if data.grouped else ""
    return (
        f"File properties give the class away{classes}: without a picture, a small model predicts "
        f"the class of {_rate(found.by[EVERYTHING])} of the videos{groups} that it has not seen; "
        f"guessing gives {percent(found.chance)}, {mostly} alone "
        f"{percent(found.by[mostly].share)}. A network can learn that instead of the content. "
        "Bring all classes from the same cameras and programs."
    )


def _predicted_by_brightness(data: DataSet) -> str | None:
    found = data.shortcuts
    if found is None or not found.by[BRIGHTNESS].alarming:
        return None
    return (
        f"Mean brightness alone predicts the class of {_rate(found.by[BRIGHTNESS])} of the videos "
        f"(guessing: {percent(found.chance)}): one class may be filmed by day and another at "
        "night. Bring each class in all kinds of light, or raise train.brightness."
    )


def _kind_of_one_class(data: DataSet) -> str | None:
    only = [row for row in tables.kinds(data) if row["only"] is not None]
    if not only:
        return None
    shown = "; ".join(f"{row['what']} {row['value']}: “{row['only']}”" for row in only[:4])
    more = f"; and {len(only) - 4} more, below" if len(only) > 4 else ""
    return (
        f"{count(len(only), 'kind')} of files {verb(len(only), 'is', 'are')} found in one "
        f"class alone ({shown}{more}). A network can learn the kind instead of the class."
    )


def _no_groups_known(data: DataSet) -> str | None:
    return without_group(data.videos) or None


def _few_groups(data: DataSet) -> str | None:
    groups = data.sources.nunique()
    if groups >= FEW_GROUPS:
        return None
    tested = max(1, round(TEST_SHARE * groups))
    unit = "group" if data.grouped else "video"
    merged = (
        " (near-duplicates count as one)" if not data.grouped and data.videos["alike"].any() else ""
    )
    return (
        f"There {verb(groups, 'is', 'are')} only {count(groups, unit)}{merged}, so that a test of "
        f"a fifth has about {tested}: its intervals will be wide, and one unusual {unit} moves "
        f"every figure.{' New groups help more than new clips.' if data.grouped else ''}"
    )


def _few_groups_of_a_class(data: DataSet) -> str | None:
    few = [
        row["label"] for row in tables.classes(data) if 1 < row["groups"] < FEW_GROUPS_OF_A_CLASS
    ]
    if not few or data.sources.nunique() < FEW_GROUPS:
        return None
    return (
        f"{quoted(few)} {verb(len(few), 'has', 'have')} fewer than {FEW_GROUPS_OF_A_CLASS} "
        f"{'groups' if data.grouped else 'videos'}: one or two of them will be the whole test of "
        "the class."
    )


def _unequal_classes(data: DataSet) -> str | None:
    rows = tables.classes(data)
    least = min(rows, key=lambda row: row["videos"])
    most = max(rows, key=lambda row: row["videos"])
    if most["videos"] < UNEQUAL * least["videos"]:
        return None
    return (
        f"“{most['label']}” has {most['videos']:,} videos and “{least['label']}” "
        f"{least['videos']:,}. Training gives each class the same weight, but it learns a class "
        "only from the videos that the class has."
    )


def _repeated_frames(data: DataSet) -> str | None:
    short = int((data.videos["frames"] < data.clip["frames"]).sum())
    if short < LARGE_SHARE * len(data.videos):
        return None
    return (
        f"{short:,} of {count(len(data.videos), 'video')} have fewer than the "
        f"{data.clip['frames']} frames of a clip, so that some are shown twice. Lower "
        "extract.frames."
    )


def _enlarged_frames(data: DataSet) -> str | None:
    small = (data.videos["width"] < data.clip["width"]) | (
        data.videos["height"] < data.clip["height"]
    )
    if int(small.sum()) < LARGE_SHARE * len(data.videos):
        return None
    return (
        f"{int(small.sum()):,} of {count(len(data.videos), 'video')} are smaller than the "
        f"{data.clip['width']} × {data.clip['height']} pixels of a clip, so that they are "
        "enlarged and blurred. Lower extract.width and extract.height."
    )


def _much_set_aside(data: DataSet) -> str | None:
    bad = len(data.unusable)
    if bad < LARGE_SHARE_SET_ASIDE * (bad + len(data.videos)):
        return None
    return (
        f"{bad:,} of {count(bad + len(data.videos), 'file')} could not be used. If they are of a "
        "kind (one camera, one class), a model never sees that kind."
    )


def _rate(score: Score) -> str:
    ends = interval({"_low": score.low, "_high": score.high}, "")
    return f"{percent(score.share)} ({ends})"


def verb(number: int, singular: str, plural: str) -> str:
    return singular if number == 1 else plural


WARNINGS: tuple[Callable[[DataSet], str | None], ...] = (
    _one_group_of_a_class,
    _predicted_by_file_properties,
    _predicted_by_brightness,
    _kind_of_one_class,
    _no_groups_known,
    _few_groups,
    _few_groups_of_a_class,
    _one_group_of_most,
    _unequal_classes,
    _repeated_frames,
    _enlarged_frames,
    _much_set_aside,
)
