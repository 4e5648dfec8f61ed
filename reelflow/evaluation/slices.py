"""On which videos does the model do worse than on the others, by more than chance?

Slices are thirds of the test by size, rate, duration, brightness and motion, its codecs, and its
groups. Of many slices one is always the worst, so what is tested is the most striking of all of
them. Clips of one group fail together: for a property, the part that each group has in the
difference is counted for or against it at random (sign flips of score contributions: Hemerik,
Goeman and Finos, J. R. Stat. Soc. B 82, 2020), and the largest of all slices compared with the
largest found (Westfall and Young, "Resampling-Based Multiple Testing", 1993). A single group cannot
be tested so: there right and wrong are dealt out to the videos anew. The two tests share the
level (Holm, Scand. J. Stat. 6, 1979).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.words import percent
from reelflow.evaluation.answers import Ints, group_codes
from reelflow.evaluation.intervals import Floats

# Column, what a third of it is called, and how its values are written.
NUMBERS = {
    "pixels": ("small", "middling", "large", "pictures", "{:,.0f} pixels"),
    "fps": ("slow", "middling", "fast", "frame rates", "{:.3g} frames a second"),
    "duration": ("short", "middling", "long", "videos", "{:.2g} s"),
    "brightness": ("dark", "middling", "bright", "clips", "brightness {:.0f} of 255"),
    "change": ("still", "middling", "lively", "clips", "{:.2g} of 255 from frame to frame"),
}
LEAST_VIDEOS, LEVEL = 5, 0.05
_FLIPS = 4000


@dataclass(frozen=True)
class Slice:
    """Some videos of the test.

    Attributes:
        name: for people: `dark clips (up to brightness 30 of 255)`.
        members: bool (N,).
        is_group: whether it is a group, and not what the videos of several share.
    """

    name: str
    members: NDArray[np.bool_]
    is_group: bool = False


def properties(test: pd.DataFrame, manifest: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """The test videos with what slices are made of.

    Args:
        test: a row a video: `hash`, and others that are kept.
        manifest: what its file is.
        index: of the frame store: what its clip looks like.
    """
    known = manifest[["hash", "width", "height", "fps", "duration", "codec"]]
    seen = index[["brightness", "change"]].reset_index()
    table = test.merge(known, on="hash", how="left").merge(seen, on="hash", how="left")
    return table.assign(pixels=table["width"] * table["height"])


def slices(videos: pd.DataFrame) -> Iterator[Slice]:
    """Slices that have `LEAST_VIDEOS` inside and outside.

    Args:
        videos: a row a test video: the columns of `NUMBERS`, `codec`, and `known_group`.
    """
    every = [*_of_numbers(videos), *_of_values(videos, "codec", "codec {}", False)]
    every += _of_values(videos, "known_group", "group {}", True)
    for one in every:
        inside = int(one.members.sum())
        if min(inside, len(videos) - inside) >= LEAST_VIDEOS:
            yield one


def _of_numbers(videos: pd.DataFrame) -> Iterator[Slice]:
    for column, (low, middle, high, noun, unit) in NUMBERS.items():
        values = videos[column].to_numpy(float)
        if np.isnan(values).any() or len(np.unique(values)) < 2:
            continue
        first, second = np.quantile(values, [1 / 3, 2 / 3])
        ends = [unit.format(value) for value in (first, second)]
        yield Slice(f"{low} {noun} (up to {ends[0]})", values <= first)
        yield Slice(
            f"{middle} {noun} ({ends[0]} to {ends[1]})", (values > first) & (values <= second)
        )
        yield Slice(f"{high} {noun} (over {ends[1]})", values > second)


def _of_values(videos: pd.DataFrame, column: str, words: str, is_group: bool) -> Iterator[Slice]:
    values = videos[column]
    for value in sorted(values.dropna().unique(), key=str):
        members = (values == value).to_numpy(bool)
        yield Slice(words.format(f"“{value}”" if is_group else value), members, is_group)


def measure(videos: pd.DataFrame, right: NDArray[np.bool_], seed: int = 0) -> dict[str, Any]:
    """The worst slice, and whether it is worse than chance explains.

    Args:
        videos: as `slices` takes them, with `group`, what is kept together.
        right: bool (N,), whether the answer was right.
        seed: of the draws.

    Returns:
        JSON values: `slices`, how many there are; and, if there is one, `worst`: its `name`,
        `videos`, `accuracy`, `accuracy_of_others`, `p` (corrected) and `stands`.
    """
    found = list(slices(videos))
    if not found or right.all() or not right.any():
        return {"slices": len(found), "worst": None}
    groups = group_codes(list(videos["group"]))
    random = np.random.default_rng(seed)
    each: list[tuple[float, Slice]] = []
    for is_group, test in ((False, _flipped), (True, _dealt)):
        if family := [one for one in found if one.is_group == is_group]:
            members = np.stack([one.members for one in family], axis=1).astype(float)
            at, p = test(members, right, groups, random)
            each.append((p, family[at]))
    p, worst = min(each, key=lambda pair: pair[0])
    p = min(1.0, p * len(each))
    inside = worst.members
    return {
        "slices": len(found),
        "worst": {
            "name": worst.name,
            "videos": int(inside.sum()),
            "accuracy": round(float(right[inside].mean()), 6),
            "accuracy_of_others": round(float(right[~inside].mean()), 6),
            "p": round(p, 6),
            "stands": bool(p <= LEVEL),
        },
    }


def sentence(found: Mapping[str, Any]) -> str | None:
    """The result of `measure` in words; None where no slice stands out."""
    worst = found["worst"]
    if worst is None or not worst["stands"]:
        return None
    return (
        f"It does worse on {worst['name']}: right for {percent(worst['accuracy'])} of "
        f"{worst['videos']}, for {percent(worst['accuracy_of_others'])} of the others. Among the "
        f"{found['slices']} slices of a test, chance alone gives one as striking in "
        f"{percent(worst['p'])} of tests."
    )


def _flipped(
    members: Floats, right: NDArray[np.bool_], groups: Ints, random: np.random.Generator
) -> tuple[int, float]:
    """The most striking of the slices (N, S), and how often chance gives one as striking."""
    wrong = right.mean() - right
    each = (members - members.mean(axis=0)) * wrong[:, np.newaxis]
    parts = np.zeros((int(groups.max()) + 1, members.shape[1]))
    np.add.at(parts, groups, each)
    size = np.sqrt((parts**2).sum(axis=0))
    scaled = parts / np.where(size > 0, size, np.inf)
    observed = scaled.sum(axis=0)
    signs = random.choice([-1.0, 1.0], size=(_FLIPS, len(parts)))
    largest = (signs @ scaled).max(axis=1)
    return _p(observed, largest)


def _dealt(
    members: Floats, right: NDArray[np.bool_], _: Ints, random: np.random.Generator
) -> tuple[int, float]:
    """The same of groups, by right and wrong dealt out to the videos anew."""
    wrong = right.mean() - right
    spread = np.sqrt((members - members.mean(axis=0)).var(axis=0) * len(wrong) * wrong.var())
    drawn = np.stack([random.permutation(wrong) for _ in range(_FLIPS)])
    return _p(wrong @ members / spread, (drawn @ members / spread).max(axis=1))


def _p(observed: Floats, largest: Floats) -> tuple[int, float]:
    at = int(observed.argmax())
    as_striking = (largest >= observed[at] - 1e-9).sum()
    return at, float((as_striking + 1) / (len(largest) + 1))
