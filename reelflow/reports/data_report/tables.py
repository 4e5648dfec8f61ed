"""The tables of the data report: values in, rows in the order of reading out."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reelflow.base.words import container, length
from reelflow.reports.data_report.content import DataSet

GROUPS = 12
KINDS = 12
DUPLICATES = 30
# A page is no file listing: the rest is in quarantine.csv.
SET_ASIDE_ROWS = 100
# A class of fewer videos in a kind of files may well have them by chance.
FEW = 5


def classes(data: DataSet) -> list[dict[str, Any]]:
    """A row a class: videos, share of all, groups, share of the largest group, length in all."""
    rows = []
    for label, ours in data.videos.assign(source=data.sources).groupby("label"):
        sizes = ours["source"].value_counts()
        rows.append(
            {
                "label": label,
                "videos": len(ours),
                "share": len(ours) / len(data.videos),
                "groups": len(sizes),
                "largest": int(sizes.iloc[0]) / len(ours),
                "seconds": length(float(ours["duration"].sum())),
            }
        )
    return rows


def groups(data: DataSet) -> dict[str, Any]:
    """Facts on the known groups, and a row for each of the largest."""
    known = data.videos.dropna(subset="group")
    by_group = known.groupby("group").agg(
        videos=("hash", "size"), labels=("label", "nunique"), seconds=("duration", "sum")
    )
    largest = by_group.reset_index().sort_values(["videos", "group"], ascending=[False, True])
    named = known.groupby("group")["label"].value_counts().sort_index()
    return {
        "count": len(by_group),
        "alone": len(data.videos) - len(known),
        "mixed": int((by_group["labels"] > 1).sum()),
        "median": float(by_group["videos"].median()) if len(by_group) else 0.0,
        "rows": [
            {
                "group": row["group"],
                "videos": row["videos"],
                "share": row["videos"] / len(data.videos),
                "seconds": length(row["seconds"]),
                "labels": _ordered(named[row["group"]]),
            }
            for row in largest.head(GROUPS).to_dict("records")
        ],
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


def near_duplicates(data: DataSet) -> list[dict[str, Any]]:
    """A row a pair: both paths and labels, in what they differ; those of two labels come first,
    then those that are least similar."""
    label = dict(zip(data.videos["path"], data.videos["label"], strict=True))
    rows: list[dict[str, Any]] = [
        {
            **{str(key): value for key, value in row.items()},
            "labels": (label[row["path"]], label[row["other"]]),
            "agree": label[row["path"]] == label[row["other"]],
            "differs": _difference(row["shift_s"], mirrored=row["mirrored"]),
        }
        for row in data.near_duplicates.to_dict("records")
    ]
    return sorted(rows, key=lambda row: (row["agree"], row["likeness"], row["path"]))


def _difference(shift: float, *, mirrored: bool) -> str:
    when = f"begins {abs(shift):.1f} s {'later' if shift > 0 else 'earlier'}" if shift else ""
    return ", ".join(part for part in (when, "mirrored" if mirrored else "") if part)


def reasons(data: DataSet) -> list[dict[str, Any]]:
    """Why files were set aside: code, count, the commonest first."""
    counts = data.unusable["code"].value_counts().sort_index()
    ordered = counts.sort_values(ascending=False, kind="stable")
    return [{"code": code, "files": int(files)} for code, files in ordered.items()]


def set_aside(data: DataSet) -> list[dict[Any, Any]]:
    """The first files that were set aside."""
    return data.unusable.head(SET_ASIDE_ROWS).to_dict("records")


def _ordered(counts: pd.Series[int]) -> list[str]:
    return [str(label) for label in counts.sort_values(ascending=False, kind="stable").index]
