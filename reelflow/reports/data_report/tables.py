"""The tables of the data report: values in, rows in the order of reading out."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd

from reelflow.base.words import container
from reelflow.reports.data_report.content import DataSet

GROUPS = 12
KINDS = 12
DUPLICATES = 30
# A page is no file listing: the rest is in quarantine.csv.
SET_ASIDE_ROWS = 100
# A class of fewer videos in a kind of files may well have them by chance.
FEW = 5


def classes(data: DataSet) -> list[dict[Hashable, Any]]:
    """A row a class: videos, groups, share of the largest group, seconds in all."""
    by_class = data.videos.assign(source=data.sources).groupby("label")
    table = by_class.agg(
        videos=("hash", "size"),
        groups=("source", "nunique"),
        largest=("source", lambda of: of.value_counts(normalize=True).iloc[0]),
        seconds=("duration", "sum"),
    )
    return table.reset_index().to_dict("records")


def groups(data: DataSet) -> dict[str, Any]:
    """Facts on the known groups, and a row for each of the largest."""
    known = data.videos.dropna(subset="group")
    by_group = known.groupby("group").agg(
        videos=("hash", "size"), labels=("label", "nunique"), seconds=("duration", "sum")
    )
    ordered = by_group.reset_index().sort_values(["videos", "group"], ascending=[False, True])
    largest = ordered.head(GROUPS).to_dict("records")
    named = known.groupby("group")["label"].value_counts().sort_index()
    return {
        "count": len(by_group),
        "alone": len(data.videos) - len(known),
        "mixed": int((by_group["labels"] > 1).sum()),
        "median": by_group["videos"].median(),
        "rows": [{**row, "labels": list(_ordered(named[row["group"]]).index)} for row in largest],
    }


def kinds(data: DataSet) -> list[dict[str, Any]]:
    """The kinds of files, the commonest first, and which class alone is of a kind, if one is."""
    table = data.videos.assign(
        kind=data.videos["codec"].astype(str) + " in " + data.videos["container"].map(container),
        picture=data.videos["width"].astype(str) + " × " + data.videos["height"].astype(str),
        rate=data.videos["fps"].map(lambda fps: f"{fps:.4g}"),
    )
    rows = []
    for what, column in (("codec", "kind"), ("picture", "picture"), ("frames a second", "rate")):
        found = table.groupby(column)["label"].agg(["size", "nunique", "first"]).reset_index()
        found = found.sort_values(["size", column], ascending=[False, True])
        for value, videos, labels, first in found.head(KINDS).itertuples(index=False):
            only = len(data.labels) > 1 and labels == 1 and videos >= FEW
            row = {"what": what, "value": value, "videos": int(videos), "labels": int(labels)}
            rows.append({**row, "only": first if only else None})
        rest = found.iloc[KINDS:]
        if len(rest):
            row = {"what": what, "value": f"{len(rest)} others", "videos": int(rest["size"].sum())}
            rows.append({**row, "labels": None, "only": None})
    return rows


def near_duplicates(data: DataSet) -> list[dict[Hashable, Any]]:
    """A row a pair: both paths and labels; those of two labels come first, then those that are
    least similar."""
    label, pairs = data.videos.set_index("path")["label"], data.near_duplicates
    pairs = pairs.assign(label=pairs["path"].map(label), other_label=pairs["other"].map(label))
    pairs["agree"] = pairs["label"] == pairs["other_label"]
    return pairs.sort_values(["agree", "likeness", "path"], kind="stable").to_dict("records")


def reasons(data: DataSet) -> pd.Series[int]:
    """How many files were set aside for each reason, the commonest first."""
    return _ordered(data.unusable["code"].value_counts().sort_index())


def _ordered(counts: pd.Series[int]) -> pd.Series[int]:
    return counts.sort_values(ascending=False, kind="stable")
