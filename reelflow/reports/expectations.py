"""What must hold for the manifest and the frames, as Great Expectations and as sentences.

Each `Check` is one expectation on one of the tables of `reelflow.reports.observations`, with its
claim in words and what to do where it does not hold. The list is the file `expectations.yaml`
beside this one: a new expectation is an entry there. `reelflow.reports.run_expectations` judges by
it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from reelflow.base.split_names import SPLITS
from reelflow.params.validate import ValidateParams
from reelflow.reports.observations import shape_text
from reelflow.store.clip_spec import ClipSpec

# The columns by which a row of each table is named, the first unless a check names another.
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
ENTRIES = Path(__file__).with_suffix(".yaml")
_FIELDS = ("key", "table", "expectation", "claim", "remedy", "row_name", "found")
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
        remedy: sentences on what to do where it does not hold.
        warning: whether the run goes on where it does not hold.
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
        """`held`, `warning` (the run goes on) or `broken` (the run stops)."""
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
    spec: ClipSpec, params: ValidateParams, tables: Mapping[str, pd.DataFrame], again: str
) -> list[Check]:
    """Every expectation on the tables of `observe`, for clips of `spec`; `again` is the command
    that runs a stage, whose name follows, though nothing it depends on has changed."""
    words = {
        "again": again,
        **params.model_dump(),
        "splits": list(SPLITS),
        "times": spec.times,
        "shapes": [shape_text(spec.stored_shape)],
        "of_several_frames": "stop" if spec.times > 1 else "ignore",
        "least_bright": 1 - params.max_black_share,
        "least_moving": 1 - params.max_frozen_share,
    }
    entries = yaml.safe_load(ENTRIES.read_text(encoding="utf-8"))
    found = [check for entry in entries for check in _expanded(entry, words)]
    return [check for check in found if not tables[check.table].empty]


def _expanded(entry: dict[str, Any], words: Mapping[str, Any]) -> Iterator[Check]:
    """The checks of an entry of the file, which explains its fields."""
    for name, value in entry.pop("each", {"": None}).items():
        here = {**words, "name": name, "value": value}
        filled = {field: _filled(text, here) for field, text in entry.items()}
        treatment = filled.pop("treatment", "stop")
        ours = {key: filled.pop(key) for key in _FIELDS if key in filled}
        if treatment != "ignore":
            yield Check(**ours, kwargs=filled, warning=treatment == "warn")


def _filled(text: Any, words: Mapping[str, Any]) -> Any:
    """A text with the words in braces replaced; one word alone keeps its type."""
    if not isinstance(text, str):
        return text
    alone = re.fullmatch(r"\{(\w+)\}", text)
    return words[alone[1]] if alone else text.format_map(words)


def of_state(findings: Iterable[Finding], state: str) -> list[Finding]:
    """The findings that are `held`, `warning` or `broken`."""
    return [finding for finding in findings if finding.state == state]
