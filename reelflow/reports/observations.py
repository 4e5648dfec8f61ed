"""What can be observed of a manifest and its frames: five plain tables, for expectations to judge.

    manifest   a row a video as ingested, and how many labels its content has
    frames     a row a video or a clip: found where, whole or not, its shape and times
    classes    a row a class: videos, groups
    groups     a row a group of at least two videos: videos, labels
    alike      a row a set of near-duplicates, named by the first two of their paths: videos, labels

Of each clip only its hash and its timestamps are read, not the pixels: what they look like was
measured when they were extracted and stands in the index.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from reelflow.base.errors import DataError
from reelflow.dataset.keep_together import sources
from reelflow.store.frame_store import FrameStore
from reelflow.store.shards import open_shard

BOTH, NO_FRAMES, NO_VIDEO = "manifest and frames", "manifest only", "frames only"
WHOLE, MISSING, DIFFERS = "whole", "missing", "other times than the index"


def observe(manifest: pd.DataFrame, store: FrameStore) -> dict[str, pd.DataFrame]:
    """Return the tables named in the module's docstring, each in a fixed order.

    Args:
        manifest: a row a video, as written by the stage `ingest`.
        store: the frames of these videos.

    Raises:
        DataError: the manifest has no rows.
    """
    if manifest.empty:
        raise DataError("The manifest has no rows: run the stage `ingest` again.")
    manifest = manifest.sort_values("path", ignore_index=True)
    labels = ("label", "nunique")
    return {
        "manifest": manifest.assign(labels=manifest.groupby("hash")["label"].transform("nunique")),
        "frames": _frames(manifest, store),
        "classes": _counted(
            manifest.assign(source=sources(manifest)), "label", groups=("source", "nunique")
        ),
        "groups": _counted(manifest, "group", labels=labels).query("videos > 1"),
        "alike": _counted(manifest, "alike", path=("path", _listed), labels=labels).sort_values(
            "path", ignore_index=True
        ),
    }


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape and its type as people write it: `16 x 64 x 64 x 3 uint8`."""
    return " x ".join(map(str, shape)) + " uint8"


def _frames(manifest: pd.DataFrame, store: FrameStore) -> pd.DataFrame:
    videos = manifest[["hash", "path", "frames", "start", "duration"]]
    table = videos.merge(
        store.index.reset_index(drop=True), on="hash", how="outer", indicator="found"
    )
    table["found"] = (
        table["found"]
        .astype(str)
        .map({"both": BOTH, "left_only": NO_FRAMES, "right_only": NO_VIDEO})
    )
    nameless = table["path"].isna()
    table.loc[nameless, "path"] = "clip " + table.loc[nameless, "hash"]
    table = pd.concat([table.rename(columns={"shard": "file"}), _observed(store, table)], axis=1)
    # The length of a single frame is not known, so its end is not either.
    ends = (table["start"] + table["duration"]).where(table["frames"] > 1)
    table["after_start"] = table["first"] - table["start"]
    table["before_end"] = ends - table["last"]
    numbers = ["times", "least_step", "after_start", "before_end", "brightness", "change"]
    table[numbers] = table[numbers].astype("float64")
    columns = ["path", "file", "found", "unit", "shape", *numbers]
    return table[columns].sort_values("path", ignore_index=True)


def _observed(store: FrameStore, table: pd.DataFrame) -> pd.DataFrame:
    """What each clip is, a row a row of `table`; nothing is known of one that is not readable."""
    rows: dict[object, dict[str, object]] = {}
    for shard, members in table.groupby("shard", sort=False):
        path = store.root / str(shard)
        clips, problem = {}, MISSING
        if path.is_file():
            try:
                mapped = open_shard(path)
                clips = dict(zip(mapped["hash"].tolist(), mapped, strict=True))
            except DataError:
                problem = "unreadable"
        for at, video, indexed in members[["hash", "timestamps"]].itertuples():
            clip = clips.get(video.encode())
            rows[at] = {"unit": problem} if clip is None else _clip(clip, indexed)
    columns = ["unit", "shape", "times", "first", "last", "least_step"]
    observed = pd.DataFrame.from_dict(rows, orient="index", columns=columns).reindex(table.index)
    return observed.astype(object).where(observed.notna(), None)


def _clip(clip: np.void, indexed: object) -> dict[str, object]:
    frames, times = clip["frames"], clip["timestamps"]
    return {
        "unit": WHOLE if np.array_equal(times, np.asarray(indexed)) else DIFFERS,
        "shape": shape_text(frames.shape)
        if frames.dtype == np.uint8
        else f"{frames.shape} {frames.dtype}",
        "times": len(times),
        "first": float(times[0]) if len(times) else None,
        "last": float(times[-1]) if len(times) else None,
        "least_step": float(np.diff(times).min()) if len(times) > 1 else None,
    }


def _counted(manifest: pd.DataFrame, by: str, **others: Any) -> pd.DataFrame:
    """A row for each value of a column, where it is known: its videos, and `others`."""
    known = manifest.dropna(subset=by).groupby(by)
    return known.agg(videos=("hash", "size"), **others).reset_index()


def _listed(paths: pd.Series[str]) -> str:
    shown = " and ".join(paths.sort_values().head(2))
    return f"{shown} and {len(paths) - 2} more" if len(paths) > 2 else shown
