"""Videos that show the same though their bytes differ: encoded again, scaled, cut, mirrored, ….

Sorted tables of keys (`reelflow.dataset.fingerprints`) find the pairs that may be similar: the keys
of all clips are sorted by several orders of their bits, and each is compared with its next
neighbours only, so that the work grows as N log N whatever the videos show (Charikar,
"Similarity Estimation Techniques from Rounding Algorithms", STOC 2002; Manku et al., "Detecting
Near-Duplicates for Web Crawling", WWW 2007). Every pair found so is then compared picture by
picture at the places that its keys name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.parallel import each
from reelflow.dataset.fingerprints import Keys, Pictures, likeness, mirrored
from reelflow.video.thumbnails import RATE

# Orders of the bits, and how far a key looks in each of them.
TABLES, NEIGHBOURS = 12, 6
# Bits of 64 by which keys of the same moment may differ.
MOST_BITS = 10
# Share of the shorter clip that must be shown by the other, and the least number of pictures.
LEAST_SHARED, FEWEST_SHARED = 0.5, 4
# Places of a pair that are compared, those named by most keys; partners of a video.
PLACES, PARTNERS = 3, 50

# Two clips whose clocks differ by half a picture may agree by this much less and still be copies.
_COMES_NEAR = 0.3

_Ends = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Pair:
    """Two videos that show the same.

    Attributes:
        one, other: their names (content hashes), in order.
        likeness: 0 to 1.
        shift: seconds into `one` at which `other` begins; negative if it begins before.
        mirrored: whether one shows the other as in a mirror.
    """

    one: str
    other: str
    likeness: float
    shift: float
    mirrored: bool


def find(
    looked_up_by: Mapping[str, Keys], pictures: Callable[[str], Pictures], least: float
) -> list[Pair]:
    """The pairs with a likeness of `least` or more, sorted by name.

    Args:
        looked_up_by: the keys of each video, by name.
        pictures: the fingerprint of a video; asked for the videos of possible pairs alone.
        least: likeness from which videos count as the same.
    """
    names = sorted(looked_up_by)
    places = _places([looked_up_by[name] for name in names])
    pairs = []
    rows = places[["one", "other", "shift", "mirrored"]].itertuples(index=False, name=None)
    for ends, of_pair in groupby(rows, itemgetter(0, 1)):
        one, other = (names[end] for end in ends)
        found = _best(pictures(one), pictures(other), [row[2:] for row in of_pair], least)
        if found[0] >= least:
            pairs.append(Pair(one, other, round(found[0], 4), found[1], found[2]))
    return pairs


def sets(pairs: Sequence[Pair]) -> dict[str, str]:
    """The name of the set of each video that is in a pair: the first of the names in it.

    A set holds every video that is in a pair with one of its members.
    """
    if not pairs:
        return {}  # importing scipy takes longer than all else here
    from scipy.cluster.hierarchy import DisjointSet

    found = DisjointSet()
    for pair in pairs:
        for name in (pair.one, pair.other):
            found.add(name)
        found.merge(pair.one, pair.other)
    return {name: min(together) for together in found.subsets() for name in together}


def _places(videos: Sequence[Keys]) -> pd.DataFrame:
    """Where two videos could show the same: one, other, shift, mirrored, in a fixed order."""
    moving = [keys.moving for keys in videos]
    scene = [keys.scene for keys in videos]
    begin = [keys.at for keys in videos]
    still = [np.zeros(len(keys), np.int64) for keys in scene]
    place = ["one", "other", "shift", "mirrored"]
    matches = pd.concat([_matches(moving, begin), _matches(scene, still)])
    votes = matches.groupby(place).size().reset_index(name="votes")
    votes = votes.sort_values(["votes", *place], ascending=[False, *[True] * 4], kind="stable")
    votes = votes.groupby(["one", "other"], sort=False).head(PLACES)
    # Of very many similar videos each is compared with some, which is enough to join them all.
    firsts = votes.drop_duplicates(["one", "other"])
    kept = firsts[firsts.groupby("one").cumcount() < PARTNERS]
    return votes.merge(kept[["one", "other"]]).sort_values(place, ignore_index=True)


def _matches(
    keys_of: Sequence[NDArray[np.uint64]], at_of: Sequence[NDArray[np.int64]]
) -> pd.DataFrame:
    """Pairs of moments with nearly the same key: one, other, shift, mirrored.

    Args:
        keys_of: the keys of each video.
        at_of: the picture that each of them begins at.
    """
    video = np.repeat(np.arange(len(keys_of)), [len(keys) for keys in keys_of])
    keys = np.concatenate([*keys_of, np.empty(0, np.uint64)])
    at = np.concatenate([*at_of, np.empty(0, np.int64)])
    # Each key is looked up as it is and mirrored.
    found = _neighbours(np.concatenate([keys, mirrored(keys)]))
    a, b = (np.concatenate(ends) for ends in zip(*found, strict=True))
    mirror = (a < len(keys)) != (b < len(keys))
    a, b = a % max(1, len(keys)), b % max(1, len(keys))
    a, b = np.where(video[a] < video[b], (a, b), (b, a))
    ends = {"one": video[a], "other": video[b], "from": at[a], "to": at[b], "mirrored": mirror}
    table = pd.DataFrame(ends).query("one != other").drop_duplicates()
    return table.assign(shift=table["from"] - table["to"]).drop(columns=["from", "to"])


def _neighbours(bits: NDArray[np.uint64]) -> list[_Ends]:
    """Places in `bits` of keys that stand near each other in a sorted table and differ little."""
    bits = _shuffled(bits)
    tables = each(partial(_table, bits), range(TABLES), 0)
    return [ends for _, found in tables for ends in found]


def _table(bits: NDArray[np.uint64], number: int) -> list[_Ends]:
    """The neighbours in one of the tables."""
    order = _order(_rolled(bits, 64 * number // TABLES))
    there = bits[order]
    found: list[_Ends] = []
    for step in range(1, NEIGHBOURS + 1):
        near = np.bitwise_count(there[:-step] ^ there[step:]) <= MOST_BITS
        found.append((order[:-step][near], order[step:][near]))
    return found


def _order(bits: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Places in the order of the first bits there, of all but as many as a place has."""
    # A place in the last bits is sorted along, in half the time of `argsort`.
    last = np.uint64(len(bits).bit_length())
    places = np.arange(len(bits), dtype=np.uint64)
    ones = (np.uint64(1) << last) - np.uint64(1)
    return (np.sort(bits & ~ones | places) & ones).astype(np.int64)


def _shuffled(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Bits in a fixed order that separates near frequencies, whose bits are often equal."""
    each = np.unpackbits(bits.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    order = np.random.default_rng(0).permutation(64)
    moved = np.packbits(each.take(order, axis=1), axis=1)
    return moved.view(">u8").astype(np.uint64)[:, 0]


def _rolled(bits: NDArray[np.uint64], by: int) -> NDArray[np.uint64]:
    """With the first `by` bits moved to the end."""
    left, right = np.uint64(by), np.uint64(64 - by)
    return bits if by == 0 else bits << left | bits >> right


def _best(
    one: Pictures, other: Pictures, places: Sequence[tuple[int, bool]], least: float
) -> tuple[float, float, bool]:
    """The largest likeness, its shift in seconds, whether it is mirrored.

    Each place (shift, mirrored) that the keys name is compared; around those that come near, one
    step to either side and half steps, since a copy may show times between those of the original.
    """
    best = (0.0, 0.0, False)
    near = [place for place in places if _at(one, other, *place) >= least - _COMES_NEAR]
    if not near:
        return best
    between = (other[:-1].astype(np.float32) + other[1:]) / 2
    for shift, mirror in near:
        for at in (shift - 1, shift, shift + 1):
            for taken, late in ((other, 0.0), (between, 0.5)):
                found = (_at(one, taken, at, mirror), (at - late) / RATE, mirror)
                best = max(best, found, key=lambda each: each[0])
    return best


def _at(one: Pictures, other: NDArray[Any], shift: int, mirror: bool) -> float:
    """The likeness of two clips if the second begins `shift` pictures into the first."""
    begin, end = max(0, shift), min(len(one), len(other) + shift)
    least = max(FEWEST_SHARED, LEAST_SHARED * min(len(one), len(other)))
    if end - begin < max(1, min(least, len(one), len(other))):
        return 0.0  # they share too little
    theirs = other[begin - shift : end - shift]
    return likeness(one[begin:end], theirs[:, :, ::-1] if mirror else theirs)
