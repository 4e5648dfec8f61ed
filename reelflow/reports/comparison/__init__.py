"""The page that compares two sets of predictions: which is better, is it noise, what flipped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from reelflow.base.evenly_spaced import evenly
from reelflow.base.words import count, percent
from reelflow.evaluation.answers import group_codes
from reelflow.evaluation.paired import Metric, Paired, compare
from reelflow.evaluation.verdict import in_words
from reelflow.reports import page
from reelflow.reports.page.images_and_clips import strip
from reelflow.store.clip_spec import Clip

# Videos that are shown as frames, of those gained and of those lost.
SHOWN = 12
_TILES, _TILE = 8, 112


@dataclass(frozen=True)
class Side:
    """What is compared: its `name`, and its `predictions`, a row a test video with the columns
    hash, path, label, group, predicted and confidence."""

    name: str
    predictions: pd.DataFrame


@dataclass(frozen=True)
class Comparison:
    """Two sides on the videos that both predicted.

    Attributes:
        first, second: the names of the sides.
        paired: the figures, see `reelflow.evaluation.paired`.
        confidence: of the interval.
        left_out: how many test videos are not compared: `only_first` and `only_second`, of one
            side alone, and `other_label`, with another label on each side.
        flips: a row a video that one side alone has right: hash, path, label, group,
            predicted_first, predicted_second, confidence_first, confidence_second, gained.
        same: every video got the same label from both.
    """

    first: str
    second: str
    paired: Paired
    confidence: float
    left_out: dict[str, int]
    flips: pd.DataFrame
    same: bool

    @property
    def leans(self) -> bool:
        """Whether the interval excludes 0, though swaps within groups often give as much."""
        low, high = self.paired.low, self.paired.high
        return not self.paired.better and low is not None and high is not None and low * high > 0

    @property
    def headline(self) -> str:
        """The verdict in a line."""
        found = self.paired
        names = (self.second, self.first)
        better, worse = names if found.difference > 0 else names[::-1]
        if found.better:
            return f"{better} is better than {worse}, by more than noise"
        if self.leans:
            return f"{better} looks better than {worse}, but too few groups differ to show it"
        if self.same:
            return f"{self.first} and {self.second} predict the same"
        return f"Not shown: the difference of {self.first} and {self.second} is within noise"

    @property
    def sentences(self) -> list[str]:
        """The figures that the verdict rests on, and what was left out."""
        found = self.paired
        of = f"{count(found.videos, 'video')} of {count(found.groups, 'group')}"
        told = [
            f"On {of} that both were tested on, {self.first} has a {in_words(found.metric)} of "
            f"{percent(found.first)}, {self.second} of {percent(found.second)}."
        ]
        if found.low is not None and found.high is not None:
            told.append(
                f"The difference is {_points(found.difference)} percentage points "
                f"({self.confidence:.0%} interval {_points(found.low)} to {_points(found.high)}, "
                f"p = {found.p_value:.2g})."
            )
            if self.leans:
                told.append(
                    f"Swapping the two within groups gives as much in {percent(found.p_value)} of "
                    "all ways, so chance is not excluded: test on more groups."
                )
        told.append(
            f"{self.second} alone has {count(found.gained, 'video')} right, {self.first} alone "
            f"{found.lost:,}."
        )
        words = {
            "only_first": f"of the test of {self.first} alone",
            "only_second": f"of the test of {self.second} alone",
            "other_label": "with another label on each side",
        }
        if some := [f"{number:,} {words[why]}" for why, number in self.left_out.items() if number]:
            told.append(f"Not compared: {', '.join(some)}.")
        return told


def make(
    first: Side, second: Side, metric: Metric, confidence: float, seed: int
) -> Comparison | None:
    """Compare two sides on the videos that both predicted; None if there is no such video."""
    answers, before = ["hash", "label", "predicted", "confidence"], first.predictions
    both = second.predictions[[*answers, "path", "group"]].merge(
        before[answers].rename(columns={"label": "label_first"}),
        on="hash",
        suffixes=("_second", "_first"),
    )
    same_label = both["label"] == both.pop("label_first")
    agreed = both[same_label].sort_values("path")
    if agreed.empty:
        return None
    one, other = (
        (agreed["label"] == agreed[f"predicted_{side}"]).to_numpy() for side in ("first", "second")
    )
    labels = pd.factorize(agreed["label"])[0].astype(np.int64)
    groups = group_codes(list(agreed["group"]))
    return Comparison(
        first.name,
        second.name,
        compare(one, other, labels, groups, metric, confidence, seed),
        confidence,
        {
            "only_first": len(before) - len(both),
            "only_second": len(second.predictions) - len(both),
            "other_label": len(both) - len(agreed),
        },
        agreed.assign(gained=other)[one != other].reset_index(drop=True),
        bool((agreed["predicted_first"] == agreed["predicted_second"]).all()),
    )


def render(found: Comparison, clip: Callable[[str], Clip | None]) -> str:
    """The page as HTML.

    Args:
        found: what it shows.
        clip: the frames of a video by its hash, None where there are none; called for the flipped
            videos that are shown.
    """
    flips = []
    for better, gained in ((found.second, True), (found.first, False)):
        rows = found.flips[found.flips["gained"] == gained]
        shown = [
            {**row, "strip": _strip(clip(row["hash"]))}
            for row in rows.head(SHOWN).to_dict("records")
        ]
        if shown:
            flips.append({"better": better, "videos": len(rows), "shown": shown})
    sections = {"headline": {}, "flips": {"flips": flips} if flips else None}
    return page.render(Path(__file__).parent, "Comparison", sections, found=found)


def _strip(clip: Clip | None) -> str | None:
    return None if clip is None else strip(clip.frames[evenly(len(clip.frames), _TILES)], _TILE)


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"
