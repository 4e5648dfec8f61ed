"""The answers of a model to the test, as arrays that metrics are computed of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.evaluation.intervals import Floats, Weight

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """What was asked and answered.

    Attributes:
        targets: (N,), true class numbers.
        probabilities: float (N, K).
        groups: (N,), from `group_codes`.
        k: of the top-k accuracy.
        shares: float (N,), of the times that each was asked and answered rightly; None: once.
    """

    targets: Ints
    probabilities: NDArray[Any]
    groups: Ints
    k: int = 2
    shares: Floats | None = None

    @cached_property
    def predicted(self) -> Ints:
        """The most probable class, (N,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @cached_property
    def right(self) -> NDArray[Any]:
        """Whether the answer is right, (N,), or how often."""
        return self.predicted == self.targets if self.shares is None else self.shares

    def one_hot(self, numbers: Ints) -> Any:
        """Class numbers as a sparse matrix of 0 and 1, (N, K)."""
        from scipy.sparse import csr_array

        videos, classes = self.probabilities.shape
        return csr_array((np.ones(videos), (np.arange(videos), numbers)), (videos, classes))

    def behind(self, videos: Any) -> Weight:
        """What a figure rests on that counts so much of each video, (N,) or (N, K)."""
        from scipy.sparse import csr_array, issparse

        count = len(self.groups)
        by_group = csr_array((np.ones(count), (self.groups, np.arange(count))))
        sizes = by_group @ videos
        return Weight.of(sizes.toarray() if issparse(sizes) else sizes)

    @cached_property
    def whole(self) -> Weight:
        """What a figure of all videos rests on."""
        return self.behind(np.ones(len(self.targets)))


def group_codes(groups: Sequence[Any]) -> Ints:
    """Number the groups, int64 (N,). A video without a group (None, NA, "") gets its own number."""
    names = pd.Series(list(groups), dtype=object).replace("", None)
    codes = np.asarray(pd.factorize(names)[0], dtype=np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return codes
