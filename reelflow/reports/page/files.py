"""What the files of a data set are, as rows for a page: the manifest in, rows out."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reelflow.base.words import container, length, span

FORMATS = 8
# A page is no file listing: the rest is in data/quarantine.csv.
SET_ASIDE_ROWS = 100


def formats(manifest: pd.DataFrame) -> list[dict[str, Any]]:
    """The kinds of files, the commonest first; what is beyond `FORMATS` is one row."""
    kinds = (
        manifest.assign(
            kind=manifest["codec"].astype(str) + " in " + manifest["container"].map(container),
            size=manifest["width"].astype(str) + " × " + manifest["height"].astype(str),
        )
        .groupby(["kind", "size"])
        .agg(videos=("fps", "size"), slowest=("fps", "min"), fastest=("fps", "max"))
        .reset_index()
        .sort_values(["videos", "kind", "size"], ascending=[False, True, True])
    )
    rows = [
        {
            "kind": row["kind"],
            "size": row["size"],
            "fps": span(row["slowest"], row["fastest"]),
            "videos": row["videos"],
        }
        for row in kinds.head(FORMATS).to_dict("records")
    ]
    rest = kinds.iloc[FORMATS:]
    if len(rest):
        rows.append(
            {
                "kind": f"{len(rest)} others",
                "size": "",
                "fps": span(rest["slowest"].min(), rest["fastest"].max()),
                "videos": int(rest["videos"].sum()),
            }
        )
    return rows


def durations(manifest: pd.DataFrame) -> dict[str, str]:
    """Shortest, median, longest and total length of the videos."""
    seconds = manifest["duration"]
    return {
        "shortest": length(seconds.min()),
        "median": length(seconds.median()),
        "longest": length(seconds.max()),
        "total": length(seconds.sum()),
    }
