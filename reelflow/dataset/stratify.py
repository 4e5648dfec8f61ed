"""Assigns whole groups to splits, so that every class comes closest to the wanted shares.

As in scikit-learn's StratifiedGroupKFold, groups are placed one by one, big ones first, where
they fit best; then single groups are moved and pairs exchanged as long as that brings the shares
nearer. A class that is missing where it is needed is worse than any deviation; if search cannot
mend that, an integer program finds a division that does, or proves that there is none.

An integer program for the shares, too, would be no better: docs/decisions.md. Among equally good
divisions the order of the groups decides: the caller shuffles them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

# Only this many kinds of groups are exchanged, the lightest: they change the shares least, and a
# table of all pairs of 2000 kinds takes 32 MB.
_PAIRED = 2000
_BETTER = 1e-12


class Impossible(Exception):  # noqa: N818 (an answer, not a fault)
    """No division puts every class where it is needed."""


def assign(counts: Ints, allowed: Bools, shares: Floats, needed: Bools) -> Ints:
    """Return the split of each group.

    Args:
        counts: int64 (G, K), videos of each class in each group.
        allowed: bool (G, S), the splits that a group may stand in, at least one.
        shares: float64 (S,), wanted shares, summing to 1.
        needed: bool (S, K), whether a class must stand in a split.

    Returns:
        int64 (G,), indices of splits.

    Raises:
        Impossible: there is no such division.
    """
    # The order of classes would decide ties by rounding; their names must not.
    classes = np.lexsort(counts[::-1])
    kinds, kind_of = np.unique(
        np.hstack([counts[:, classes], allowed]), axis=0, return_inverse=True
    )
    k = counts.shape[1]
    search = _Search(
        kinds[:, :k], kinds[:, k:].astype(bool), np.bincount(kind_of), shares, needed[:, classes]
    )
    search.place(kind_of)
    search.descend()
    if search.missing:
        search.fill()
        search.descend()
    return _deal(search.placed, kind_of)


def _deal(placed: Ints, kind_of: Ints) -> Ints:
    """Groups of a kind, in their order, to the splits that the kind has places in."""
    split_of = np.empty(len(kind_of), dtype=np.int64)
    for kind, places in enumerate(placed):
        split_of[kind_of == kind] = np.repeat(np.arange(len(places)), places)
    return split_of


@dataclass
class _Search:
    """A division of kinds of groups: those with the same counts and the same allowed splits."""

    counts: Ints
    allowed: Bools
    groups: Ints
    shares: Floats
    needed: Bools

    def __post_init__(self) -> None:
        totals = self.groups @ self.counts
        self.has = self.counts > 0
        self.free = self.allowed.sum(axis=1) > 1
        self.placed = np.where(self.free[:, None], 0, self.allowed * self.groups[:, None])
        # Videos as shares of their class, so that a rare class weighs as much as a common one.
        self.weights = self.counts / np.maximum(totals, 1)
        self.wanted = self._wanted()

    def _wanted(self) -> Floats:
        """Shares of each class by split; a split that no free group may enter keeps what it has."""
        fixed: Floats = self.placed.T @ self.weights
        open_ = self.allowed[self.free].any(axis=0)
        if not open_.any():
            return fixed
        rest = 1 - fixed[~open_].sum(axis=0)
        wanted: Floats = self.shares[:, None] / self.shares[open_].sum() * rest
        return np.where(open_[:, None], wanted, fixed)

    @property
    def missing(self) -> int:
        """Classes that are not where they are needed, counted once a split."""
        return int((self.needed & (self.placed.T @ self.has == 0)).sum())

    def place(self, kind_of: Ints) -> None:
        """Place each group where it fits best, big ones first, equal sizes in their order."""
        residual = self.placed.T @ self.weights - self.wanted
        size = np.round(np.log2(self.weights.sum(axis=1)[kind_of]))
        for group in np.argsort(-size, kind="stable"):
            kind = kind_of[group]
            if self.free[kind]:
                gain = np.where(self.allowed[kind], residual @ self.weights[kind], np.inf)
                split = int(gain.argmin())
                self.placed[kind, split] += 1
                residual[split] += self.weights[kind]

    def descend(self) -> None:
        """Move or exchange groups while that places a missing class or improves the shares."""
        while self._move() or self._exchange():
            pass

    def _move(self) -> bool:
        residual = self.placed.T @ self.weights - self.wanted
        there = self.placed.T @ self.has
        lost = self.has @ (self.needed & (there == 1)).T.astype(np.int64)
        gained = self.has @ (self.needed & (there == 0)).T.astype(np.int64)
        square = 2 * (self.weights**2).sum(axis=1)
        along = 2 * self.weights @ residual.T
        best, step = (0, -_BETTER), None
        for a, b in np.ndindex(len(self.shares), len(self.shares)):
            kinds = np.flatnonzero((self.placed[:, a] > 0) & self.allowed[:, b])
            if a == b or not len(kinds):
                continue
            holes = (lost[:, a] - gained[:, b])[kinds]
            change = (along[:, b] - along[:, a] + square)[kinds]
            at = np.lexsort((change, holes))[0]
            if (holes[at], change[at]) < best:
                best, step = (int(holes[at]), float(change[at])), (kinds[at], a, b)
        if step is None:
            return False
        self._shift(*step)
        return True

    def _shift(self, kind: int, a: int, b: int) -> None:
        self.placed[kind, a] -= 1
        self.placed[kind, b] += 1

    def _exchange(self) -> bool:
        """Exchange the pair that helps most, among those that leave no class out."""
        residual = self.placed.T @ self.weights - self.wanted
        light = np.argsort((self.weights**2).sum(axis=1), kind="stable")[:_PAIRED]
        missing = self.missing
        for a, b in itertools.combinations(range(len(self.shares)), 2):
            ours = light[(self.placed[light, a] > 0) & self.allowed[light, b]]
            theirs = light[(self.placed[light, b] > 0) & self.allowed[light, a]]
            change = self._changes(ours, theirs, residual[a] - residual[b])
            for flat in np.argsort(change, axis=None, kind="stable")[:100]:
                i, j = np.unravel_index(flat, change.shape)
                if change[i, j] > -_BETTER:
                    break
                self._shift(ours[i], a, b)
                self._shift(theirs[j], b, a)
                if self.missing <= missing:
                    return True
                self._shift(ours[i], b, a)
                self._shift(theirs[j], a, b)
        return False

    def _changes(self, ours: Ints, theirs: Ints, slope: Floats) -> Floats:
        """What exchanging each of `ours` for each of `theirs` adds to the squared deviation."""
        u, v = self.weights[ours], self.weights[theirs]
        square = (u**2).sum(axis=1)[:, None] + (v**2).sum(axis=1) - 2 * u @ v.T
        return 2 * ((v @ slope)[None, :] - (u @ slope)[:, None]) + 2 * square

    def fill(self) -> None:
        """Place all groups anew so that no class is missing. Raises `Impossible`."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import eye_array, kron

        t, s = self.placed.shape
        whole = LinearConstraint(kron(eye_array(t), np.ones((1, s))), self.groups, self.groups)
        there = kron(self.has.T.astype(float), eye_array(s))
        filled = LinearConstraint(there, self.needed.T.ravel().astype(float), np.inf)
        room = (self.allowed * self.groups[:, None]).ravel()
        answer = milp(
            np.zeros(t * s),
            integrality=np.ones(t * s),
            bounds=Bounds(0, room),
            constraints=[whole, filled],
        )
        if answer.x is None:
            raise Impossible
        self.placed = np.round(answer.x).astype(np.int64).reshape(t, s)
