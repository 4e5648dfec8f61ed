"""What must hold for the manifest and the frames, as Great Expectations and as sentences.

Each `Check` is one expectation on one of the tables of `reelflow.reports.observations`, with its
claim in words and what to do where it does not hold. The list is data: nothing is imported or run
until `reelflow.reports.data_docs` judges the tables by it, so that a new expectation is one entry
here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from reelflow.base.split_names import SPLITS
from reelflow.params.validate import ValidateParams
from reelflow.reports.observations import BOTH, WHOLE, shape_text
from reelflow.store.clip_spec import ClipSpec

# The columns by which a row of each table is named, the first unless a check says otherwise.
ROW_NAMES = {
    "manifest": ["path"],
    "frames": ["path", "file"],
    "classes": ["label"],
    "groups": ["group"],
    "alike": ["path"],
}
NOUNS = {
    "manifest": "videos",
    "frames": "clips",
    "classes": "classes",
    "groups": "groups",
    "alike": "sets of near-duplicates",
}
BLACK, FROZEN = "black_clips", "frozen_clips"
SHOWN = 5


@dataclass(frozen=True)
class Check:
    """One expectation.

    Attributes:
        key: its short name, unique.
        table: a table of `observe`.
        expectation: a class of `great_expectations.expectations`.
        kwargs: what the class is made with.
        claim: what must hold, in words, with no full stop.
        remedy: sentences that say what to do where it does not.
        warning: whether it is only said, and the run goes on.
        row_name: the column that names a row, where it is not the table's first.
        found: the value of a statement on a table as a whole, in words.
    """

    key: str
    table: str
    expectation: str
    kwargs: Mapping[str, Any]
    claim: str
    remedy: str
    warning: bool = False
    row_name: str = ""
    found: str = "found was {}"


@dataclass(frozen=True)
class Finding:
    """What became of a check.

    Attributes:
        check: the check.
        held: whether the expectation was met (rows within `mostly` are met).
        count: rows that differ, 0 for a statement on a table as a whole.
        total: rows of the table.
        rows: names of the first rows that differ, in the order of the table.
        observed: the value of a statement on a table as a whole.
    """

    check: Check
    held: bool
    count: int
    total: int
    rows: list[str] = field(default_factory=list)
    observed: str = ""

    @property
    def state(self) -> str:
        """`held`, `warning` (said, the run goes on) or `broken` (the run stops)."""
        if self.held:
            return "warning" if self.count else "held"
        return "warning" if self.check.warning else "broken"

    @property
    def sentence(self) -> str:
        """Which expectation, for which rows, and what to do."""
        if self.count:
            shown = ", ".join(self.rows[:SHOWN])
            more = f" and {self.count - SHOWN} more" if self.count > SHOWN else ""
            noun = NOUNS[self.check.table]
            where = f"not so for {self.count} of {self.total} {noun} ({shown}{more})"
        else:
            where = f"not so; {self.check.found.format(self.observed)}"
        return f"{self.check.claim}: {where}. {self.check.remedy}"


def checks(
    spec: ClipSpec, params: ValidateParams, tables: Mapping[str, pd.DataFrame]
) -> list[Check]:
    """Every expectation on the tables of `observe`, for clips of `spec`."""
    return [
        *_manifest_checks(),
        *_unit_checks(spec),
        *_picture_checks(spec, params),
        *_class_checks(params),
        *_group_checks(params, tables["groups"]),
        *_alike_checks(params, tables["alike"]),
    ]


_AGAIN = "The manifest is not what `ingest` writes: run `dvc repro --force ingest`."
_DAMAGED = "Delete these files from the frame store and run `dvc repro --force extract`."
_COUNTED = " Near-duplicates count as one group, and a video without a group as its own."
_DTYPES = {
    "hash": "str", "path": "str", "label": "str", "codec": "str", "bytes": "int64",
    "frames": "int64", "fps": "float64", "start": "float64", "duration": "float64",
}  # fmt: skip
_RANGES: dict[str, tuple[int, int | None]] = {
    "bytes": (1, None),
    "width": (1, 65_535),
    "height": (1, 65_535),
    "frames": (1, None),
    "fps": (0, 10_000),
    "duration": (0, None),
    "duplicates": (0, None),
}


def _between(key: str, table: str, claim: str, remedy: str, column: str, **limits: Any) -> Check:
    kwargs = {"column": column, **limits}
    return Check(key, table, "ExpectColumnValuesToBeBetween", kwargs, claim, remedy)


def _among(key: str, table: str, claim: str, remedy: str, column: str, values: list[Any]) -> Check:
    kwargs = {"column": column, "value_set": values}
    return Check(key, table, "ExpectColumnValuesToBeInSet", kwargs, claim, remedy)


def _manifest_checks() -> Iterator[Check]:
    def check(key: str, expectation: str, claim: str, remedy: str = _AGAIN, **kwargs: Any) -> Check:
        return Check(key, "manifest", expectation, kwargs, claim, remedy)

    for name, dtype in _DTYPES.items():
        claim = f"The column {name} is of type {dtype}"
        yield check(f"type_{name}", "ExpectColumnValuesToBeOfType", claim, column=name, type_=dtype)
        claim = f"Every video has its {name}"
        yield check(f"given_{name}", "ExpectColumnValuesToNotBeNull", claim, column=name)
    for name, (least, most) in _RANGES.items():
        claim = f"{name} is {f'{least} to {most}' if most else f'{least} or more'}"
        limits = {"min_value": least, "max_value": most}
        yield _between(f"range_{name}", "manifest", claim, _AGAIN, name, **limits)
    yield _among(
        "rotation", "manifest", "Pictures are turned by quarter turns", _AGAIN,
        "rotation", [0, 90, 180, 270],
    )  # fmt: skip
    form = "ExpectColumnValuesToMatchRegex"
    claim = "A hash has 64 hexadecimal digits"
    yield check("hash_form", form, claim, column="hash", regex="^[0-9a-f]{64}$")
    remedy = "Give the video a label, or take it out."
    yield check(
        "label_form",
        form,
        "A label is a text that can be seen",
        remedy,
        column="label",
        regex=r"\S",
    )
    unique = "ExpectColumnValuesToBeUnique"
    yield check("path_unique", unique, "Each path stands there once", column="path")
    remedy = "Remove all but one of the equal files and run `dvc repro`."
    yield check("hash_unique", unique, "Each content stands there once", remedy, column="hash")
    yield _between(
        "one_label", "manifest", "The same content has one label",
        "One of the labels is wrong: remove or relabel the file.",
        "labels", min_value=1, max_value=1,
    )  # fmt: skip
    yield _among(
        "split_known", "manifest", f"An official split is {' or '.join(SPLITS)}",
        "Correct the column `split` of videos.csv.", "split", list(SPLITS),
    )  # fmt: skip


def _unit_checks(spec: ClipSpec) -> Iterator[Check]:
    again = "Run `dvc repro --force extract`: only what is missing is decoded."
    clock = (
        "The frames were taken at times that the video does not have. Delete the frame store and "
        "run `dvc repro --force ingest`; if it stays so, report it as a fault."
    )
    shape, t = shape_text(spec.stored_shape), spec.times
    claim = "Every video has frames and all frames a video"
    yield _among("paired", "frames", claim, again, "found", [BOTH])
    claim = f"A clip has {t} timestamps"
    for check in (
        _among("whole", "frames", "Every unit of frames is whole", _DAMAGED, "unit", [WHOLE]),
        _among("shape", "frames", f"Frames are {shape}", _DAMAGED, "shape", [shape]),
        _between("times", "frames", claim, _DAMAGED, "times", min_value=t, max_value=t),
    ):
        yield replace(check, row_name="file")
    yield _between(
        "order",
        "frames",
        "The frames of a clip stand in the order of time",
        clock,
        "least_step",
        min_value=0,
    )
    # A microsecond: the start and the timestamps are the same fractions, rounded once each.
    claim = "Every frame is at its video's start or after it"
    yield _between("start", "frames", claim, clock, "after_start", min_value=-1e-6)
    claim = "Every frame is before its video's end"
    yield _between("end", "frames", claim, clock, "before_end", min_value=0, strict_min=True)


def _picture_checks(spec: ClipSpec, params: ValidateParams) -> Iterator[Check]:
    index = "The index is not what `extract` writes: run `dvc repro --force extract`."
    for name in ("brightness", "change"):
        claim = f"{name} is between 0 and 255"
        limits = {"min_value": 0, "max_value": 255}
        yield _between(f"range_{name}", "frames", claim, index, name, **limits)
    yield _between(
        BLACK, "frames",
        f"Clips show something (mean pixel value of at least {params.min_brightness:g}; a share of "
        f"{params.max_black_share:g} may be black)",
        "Look at these videos and take them out if they show nothing; if they are dark by nature, "
        "lower validate.min_brightness or raise validate.max_black_share.",
        "brightness", min_value=params.min_brightness, mostly=1 - params.max_black_share,
    )  # fmt: skip
    if spec.times == 1:
        return
    yield _between(
        FROZEN, "frames",
        f"Clips move (mean change of at least {params.min_change:g} between frames; a share of "
        f"{params.max_frozen_share:g} may be frozen)",
        "Look at these videos and take them out if nothing moves in them; if that is their "
        "nature, lower validate.min_change or raise validate.max_frozen_share.",
        "change", min_value=params.min_change, mostly=1 - params.max_frozen_share,
    )  # fmt: skip


def _class_checks(params: ValidateParams) -> Iterator[Check]:
    rows = "ExpectTableRowCountToBeBetween"
    claim, remedy = "There are at least two classes", "Add videos of another class."
    yield Check("classes", "classes", rows, {"min_value": 2}, claim, remedy)
    fewest = {"videos": params.min_videos_per_class, "groups": params.min_groups_per_class}
    for unit, least in fewest.items():
        yield _between(
            f"{unit}_per_class", "classes", f"Every class has at least {least} {unit}",
            f"Add {unit} of these classes, take the classes out, or lower "
            f"validate.min_{unit}_per_class."
            + (_COUNTED if unit == "groups" else ""),
            unit, min_value=least,
        )  # fmt: skip


def _group_checks(params: ValidateParams, groups: pd.DataFrame) -> Iterator[Check]:
    """With a class a group, scene and class are one: whether that matters is the user's to say."""
    if groups.empty or params.single_label_groups == "ignore":
        return
    yield Check(
        "mixed_groups",
        "groups",
        "ExpectColumnMaxToBeBetween",
        {"column": "labels", "min_value": 2},
        "Some group holds videos of several classes",
        "In training, a network can then tell the classes by the groups' scenes. Trust the test "
        "only, whose groups are new, and add groups that hold several classes if you can; or set "
        "validate.single_label_groups to `ignore`.",
        warning=params.single_label_groups == "warn",
        found="each is of {} class",
    )


def _alike_checks(params: ValidateParams, alike: pd.DataFrame) -> Iterator[Check]:
    """The same clip under two labels: one of them is wrong, or the clip shows both."""
    if alike.empty or params.conflicting_near_duplicates == "ignore":
        return
    check = _between(
        "near_duplicates_agree", "alike", "Near-duplicates have one label",
        "Look at them in the data report: one of the labels is wrong, or they show both classes. "
        "Relabel or remove the videos; if they are not the same at all, raise "
        "ingest.min_likeness.",
        "labels", min_value=1, max_value=1,
    )  # fmt: skip
    yield replace(check, warning=params.conflicting_near_duplicates == "warn")


def of_state(findings: Iterable[Finding], state: str) -> list[Finding]:
    """The findings that are `held`, `warning` or `broken`."""
    return [finding for finding in findings if finding.state == state]
