"""The temperature: scikit-learn's logistic regression as the truth, and no answer changed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from reelflow.training.temperature import LEAST, MOST, fit_temperature, tempered


def drawn(videos: int, classes: int, sureness: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Probabilities of a model that is so many times too sure, and targets drawn of the truth."""
    random = np.random.default_rng(seed)
    scores = random.normal(scale=1.5, size=(videos, classes))
    truth = softmax(scores, axis=1)
    targets = (truth.cumsum(axis=1) < random.random((videos, 1))).sum(axis=1)
    return softmax(sureness * scores, axis=1), np.minimum(targets, classes - 1), truth


@pytest.mark.parametrize("sureness", [0.5, 1.0, 3.0])
def test_a_model_too_sure_by_construction_is_mended(sureness: float) -> None:
    given, targets, truth = drawn(4000, 4, sureness)
    temperature = fit_temperature(given, targets)
    assert temperature == pytest.approx(sureness, rel=0.1)
    assert np.abs(tempered(given, temperature) - truth).mean() < 0.02


def test_for_two_classes_it_is_the_slope_of_a_logistic_regression() -> None:
    given, targets, _ = drawn(3000, 2, 2.5)
    lead = np.log(given[:, 1] / given[:, 0])[:, np.newaxis]
    slope = LogisticRegression(C=1e6, fit_intercept=False).fit(lead, targets).coef_[0, 0]
    assert fit_temperature(given, targets) == pytest.approx(1 / slope, rel=0.01)


@pytest.mark.parametrize("temperature", [LEAST, 0.7, 3.0, MOST])
def test_no_answer_changes(temperature: float) -> None:
    given = drawn(500, 5, 4.0)[0].astype(np.float32)
    # A lead of the last bit, and certainty.
    given[0] = [0.2, 0.2, np.nextafter(np.float32(0.2), np.float32(1)), 0.2, 0.2]
    given[1] = [0, 0, 0, 1, 0]
    found = tempered(given, temperature)
    assert found.dtype == np.float32
    assert (found.argmax(axis=1) == given.argmax(axis=1)).all()
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_few_right_answers_are_no_certainty() -> None:
    given = np.tile([[0.9, 0.1]], (12, 1))
    found = tempered(given, fit_temperature(given, np.zeros(12, int)))
    assert found[0, 0] == pytest.approx(13 / 14, abs=1e-3)


def test_without_videos_and_at_one_nothing_changes() -> None:
    assert fit_temperature(np.empty((0, 3)), np.empty(0, int)) == 1.0
    given = drawn(9, 3, 1.0)[0].astype(np.float32)
    assert (tempered(given, 1.0) == given).all()
