"""Warnings of the data report: what a person must know before learning from these videos.

`WARNINGS` are functions of a `DataSet` that yield the sentences that apply, the gravest first. To
add one, yield it, or write a function and name it there. What the expectations of `validate` report
is not repeated here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
    return [*data.warned, *(said for warning in WARNINGS for said in warning(data))]


def _of_single_groups(data: DataSet) -> Iterator[str]:
    if single := [row["label"] for row in tables.classes(data) if row["groups"] == 1]:
        yield (
            f"All clips of {quoted(single)} come from one group: whatever is particular to that "
            "source will be learned as the class, and no test shows it. Add clips of other sources."
        )


def _of_shortcuts(data: DataSet) -> Iterator[str]:
    found = data.shortcuts
    if found and found.by[EVERYTHING].alarming:
        named = [label for label, each in found.classes.items() if each.alarming]
        mostly = max(
            (name for name in found.by if name not in (EVERYTHING, BRIGHTNESS)),
            key=lambda name: found.by[name].low or 0.0,
        )
        classes = f", {quoted(named)} most of all" if 0 < len(named) < len(found.classes) else ""
        groups = " of groups" if data.grouped else ""
        yield (
            f"File properties give the class away{classes}: without a picture, a small model "
            f"predicts the class of {_rate(found.by[EVERYTHING])} of the videos{groups} that it "
            f"has not seen; guessing gives {percent(found.chance)}, {mostly} alone "
            f"{percent(found.by[mostly].share)}. A network can learn that instead of the content. "
            "Bring all classes from the same cameras and programs."
        )
    if found and found.by[BRIGHTNESS].alarming:
        yield (
            f"Mean brightness alone predicts the class of {_rate(found.by[BRIGHTNESS])} of the "
            f"videos (guessing: {percent(found.chance)}): one class may be filmed by day and "
            "another at night. Bring each class in all kinds of light, or raise train.brightness."
        )
    if only := [row for row in tables.kinds(data) if row["only"] is not None]:
        shown = "; ".join(f"{row['what']} {row['value']}: “{row['only']}”" for row in only[:4])
        more = f"; and {len(only) - 4} more, below" if len(only) > 4 else ""
        yield (
            f"{count(len(only), 'kind')} of files {verb(len(only), 'is', 'are')} found in one "
            f"class alone ({shown}{more}). A network can learn the kind instead of the class."
        )


def _of_groups(data: DataSet) -> Iterator[str]:
    if warning := without_group(data.videos):
        yield warning
    groups, rows = data.sources.nunique(), tables.classes(data)
    if groups < FEW_GROUPS:
        tested = max(1, round(TEST_SHARE * groups))
        unit = "group" if data.grouped else "video"
        joined = not data.grouped and data.videos["alike"].any()
        merged = " (near-duplicates count as one)" if joined else ""
        yield (
            f"There {verb(groups, 'is', 'are')} only {count(groups, unit)}{merged}, so that a test "
            f"of a fifth has about {tested}: its intervals will be wide, and one unusual {unit} "
            f"moves every figure.{' New groups help more than new clips.' if data.grouped else ''}"
        )
    few = [row["label"] for row in rows if 1 < row["groups"] < FEW_GROUPS_OF_A_CLASS]
    if few and groups >= FEW_GROUPS:
        yield (
            f"{quoted(few)} {verb(len(few), 'has', 'have')} fewer than {FEW_GROUPS_OF_A_CLASS} "
            f"{'groups' if data.grouped else 'videos'}: one or two of them will be the whole test "
            "of the class."
        )
    several = [row for row in rows if row["groups"] > 1 and row["videos"] > 4]
    if large := [row["label"] for row in several if row["largest"] > LARGE_SHARE_OF_A_CLASS]:
        yield (
            f"More than half of the clips of {quoted(large)} come from one group. What is "
            "particular to that source weighs as much as the class; add clips of other sources."
        )


def _of_sizes(data: DataSet) -> Iterator[str]:
    rows = tables.classes(data)
    least, most = (choose(rows, key=lambda row: row["videos"]) for choose in (min, max))
    if most["videos"] >= UNEQUAL * least["videos"]:
        yield (
            f"“{most['label']}” has {most['videos']:,} videos and “{least['label']}” "
            f"{least['videos']:,}. Training gives each class the same weight, but it learns a "
            "class only from the videos that the class has."
        )
    videos, clip = data.videos, data.clip
    of = f"of {count(len(videos), 'video')}"
    short = int((videos["frames"] < clip["frames"]).sum())
    if short >= LARGE_SHARE * len(videos):
        yield (
            f"{short:,} {of} have fewer than the {clip['frames']} frames of a clip, so that some "
            "are shown twice. Lower extract.frames."
        )
    is_small = (videos["width"] < clip["width"]) | (videos["height"] < clip["height"])
    if is_small.mean() >= LARGE_SHARE:
        yield (
            f"{int(is_small.sum()):,} {of} are smaller than the {clip['width']} × "
            f"{clip['height']} pixels of a clip, so that they are enlarged and blurred. Lower "
            "extract.width and extract.height."
        )
    bad = len(data.unusable)
    if bad >= LARGE_SHARE_SET_ASIDE * (bad + len(videos)):
        yield (
            f"{bad:,} of {count(bad + len(videos), 'file')} could not be used. If they are of a "
            "kind (one camera, one class), a model never sees that kind."
        )


def _rate(score: Score) -> str:
    ends = interval({"_low": score.low, "_high": score.high}, "")
    return f"{percent(score.share)} ({ends})"


def verb(number: int, singular: str, plural: str) -> str:
    return singular if number == 1 else plural


WARNINGS: tuple[Callable[[DataSet], Iterator[str]], ...] = (
    _of_single_groups,
    _of_shortcuts,
    _of_groups,
    _of_sizes,
)
