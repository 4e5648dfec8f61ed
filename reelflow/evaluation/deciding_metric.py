"""The metrics that can decide which model is better: `register.metric`."""

from __future__ import annotations

import numpy as np

from reelflow.base.errors import ParamsError, quoted
from reelflow.evaluation import metrics
from reelflow.evaluation.answers import Answers


def deciding() -> list[str]:
    """The figures by which runs are compared, without areas under curves, since a champion is asked
    for labels alone."""
    answers = Answers(np.array([0, 1]), np.eye(2), np.array([0, 1]))
    found = metrics.figures_of(answers, np.ones((1, 2)), metrics.METRICS)
    return [name for name, f in found.items() if f.compared and not name.endswith(metrics.AREAS)]


def check_deciding(metric: str) -> None:
    """Raise `ParamsError` if this is not one of the figures that can decide."""
    if metric not in deciding():
        raise ParamsError(
            f"`register.metric` is {quoted(metric)}; allowed is {', '.join(deciding())}."
        )
