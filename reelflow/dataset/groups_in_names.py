"""Groups that are written in the names of files, and the pattern that reads them.

Clips cut from one recording look similar; a split that puts one into training and another into the
test measures memory. In many data sets the name holds the source of a clip: `v_Bend_g03_c01`,
`person07_boxing`, `cam2-0113`. A pattern is suggested only if it fits the names of this data set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

# Words before a number that stand for a source, the surest first; `c` and `v` number clips.
_WORDS = (
    "g", "group", "person", "subject", "subj", "sub", "actor", "participant", "patient", "animal",
    "scene", "source", "src", "session", "sess", "recording", "rec", "camera", "cam", "site",
    "p", "s", "yt",
)  # fmt: skip
_MOST_UNREAD = 0.1
_FEWEST_GROUPS = 3


def suggest_pattern(paths: Sequence[str], labels: Sequence[str]) -> tuple[str, int] | None:
    """The pattern that reads a group from nearly all of these paths, if there is one.

    It must put several videos into some group and leave every class at least three groups, so
    that a number that counts clips, or one that only repeats the class, is not taken for a source.

    Args:
        paths: of videos without a group, relative to the raw folder, with `/`.
        labels: the class of each.

    Returns:
        the pattern for `ingest.group_pattern`, and how many groups it reads.
    """
    for word in _WORDS:
        # Between separators, so that the `s3` of `boots3` is none; before a `/` it is a folder.
        sure = rf"(?:^|[/_. -])(?P<group>(?i:{word})[_-]?\d+)(?=[/_. -])"
        read = _read(sure, paths)
        if _are_groups(read, labels):
            plain = (rf"{a}(?P<group>{word}\d+){b}" for a in "_/-" for b in ("_", "-", "/", r"\."))
            pattern = next((p for p in plain if _read(p, paths).equals(read)), sure)
            return pattern, read.nunique()
    return None


def without_group(videos: pd.DataFrame) -> str:
    """A warning that some of the videos have no known group, with a remedy; empty if all have one.

    Args:
        videos: path, label, and group, which may be missing.
    """
    alone = videos[videos["group"].isna()]
    if alone.empty:
        return ""
    everyone = len(alone) == len(videos)
    who = "No video has a" if everyone else f"{len(alone):,} of {len(videos):,} videos have no"
    found = suggest_pattern(alone["path"].tolist(), alone["label"].tolist())
    remedy = (
        f"The names seem to carry them: ingest.group_pattern: '{found[0]}' would read "
        f"{found[1]} groups."
        if found
        else "Name the groups in a column “group” of videos.csv if there are any."
    )
    return (
        f"{who} known group. If several clips come from one source (a person, a scene, a camera), "
        "they may stand on both sides of the split, and every test figure will be too good. "
        f"{remedy}"
    )


def _read(pattern: str, paths: Sequence[str]) -> pd.Series:
    """The group of each path, None where the pattern finds none, as the stage `ingest` reads it."""
    matches = (re.search(pattern, path) for path in paths)
    return pd.Series([match["group"] if match else None for match in matches], dtype=object)


def _are_groups(read: pd.Series, labels: Sequence[str]) -> bool:
    """Whether the groups can be sources: clips share them, and every class has several."""
    if read.isna().mean() > _MOST_UNREAD or read.nunique() == read.count():
        return False
    return bool((read.groupby(list(labels)).nunique() >= _FEWEST_GROUPS).all())
