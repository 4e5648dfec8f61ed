"""Places that are evenly apart: some of many, whatever they are of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly(length: int, most: int) -> NDArray[np.int64]:
    """At most so many places among `length`, from the first to the last, evenly apart."""
    return np.linspace(0, length - 1, min(most, length)).round().astype(np.int64)
