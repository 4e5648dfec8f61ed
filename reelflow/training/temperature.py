"""Temperature: makes probabilities true, fitted on videos that were left out.

A network is surer of the videos that it learned from than it may be of others. One number mends
most of it: the logarithms of the probabilities are divided by a *temperature*, under which videos
that were left out of the training are most probable (Guo et al., "On Calibration of Modern Neural
Networks", ICML 2017). It makes every answer more or less sure and changes none.

Where a few left-out videos are all answered rightly, the most probable temperature is zero, which
is certainty. So a true class counts as (N + 1) / (N + K) of certain and each other as 1 / (N + K),
as in Platt, "Probabilistic Outputs for Support Vector Machines", 1999, for K classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Beyond these a temperature is a sign of too few videos.
LEAST, MOST = 0.1, 10.0
_TINY = 1e-30


def tempered(probabilities: NDArray[Any], temperature: float) -> NDArray[np.float32]:
    """Probabilities after the temperature, float32 (..., K). The most probable class stays so.

    Args:
        probabilities: float (..., K), rows that sum to 1.
        temperature: above 1 less sure, below 1 surer; at 1 nothing changes.
    """
    given = np.asarray(probabilities)
    if temperature == 1.0:
        return given.astype(np.float32)
    found = _tempered(given, temperature).astype(np.float32)
    # A lead too small for float32 would be lost, and with it the answer.
    best = given.argmax(axis=-1)[..., np.newaxis]
    lead = np.take_along_axis(found, best, axis=-1)
    lost = found.argmax(axis=-1)[..., np.newaxis] != best
    lead[lost] = np.nextafter(lead[lost], np.float32(2))
    np.put_along_axis(found, best, lead, axis=-1)
    return found


def fit_temperature(probabilities: NDArray[Any], targets: NDArray[np.integer]) -> float:
    """The temperature under which the targets are most probable, from `LEAST` to `MOST`.

    Args:
        probabilities: float (N, K), of videos that the model did not learn from; N of 0 gives 1.
        targets: int (N,), their true class numbers.
    """
    from scipy.optimize import minimize_scalar

    videos, classes = np.shape(probabilities)
    if not videos:
        return 1.0
    wanted = smoothed(targets, classes)

    def loss(exponent: float) -> float:
        found = _tempered(probabilities, float(np.exp(exponent)))
        return float(-(wanted * np.log(np.maximum(found, _TINY))).sum(axis=1).mean())

    bounds = (np.log(LEAST), np.log(MOST))
    return round(float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x)), 4)


def smoothed(targets: NDArray[np.integer], classes: int) -> NDArray[np.float64]:
    """What counts as true of each video, (N, K): nearly certain, see above."""
    videos = len(targets)
    wanted = np.full((videos, classes), 1 / (videos + classes))
    wanted[np.arange(videos), targets] = (videos + 1) / (videos + classes)
    return wanted


def _tempered(probabilities: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    from scipy.special import softmax

    scores = np.log(np.maximum(np.asarray(probabilities, np.float64), _TINY)) / temperature
    found: NDArray[np.float64] = softmax(scores, axis=-1)
    return found
