"""The figures of a cross-validation, beside scikit-learn and the intervals of a test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from reelflow.crossval.figures import Answered, answers_of, by_fold, figures
from reelflow.crossval.folds import Fold
from reelflow.evaluation import metrics
from reelflow.evaluation.intervals import Bootstrap

LABELS = ["a", "b", "c"]
BOOTSTRAP = Bootstrap(200, 0.95, 3)
RANDOM = np.random.default_rng(0)


def table(videos: int = 60, groups: int = 12) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "hash": [f"{i:03}" for i in range(videos)],
            "path": [f"{i}.mp4" for i in range(videos)],
            "label": [LABELS[i % 3] if i > 9 else "a" for i in range(videos)],
            "group": [f"g{i % groups}" for i in range(videos)],
        }
    )


def repeat_of(videos: pd.DataFrame, repeat: int, folds: int = 2) -> list[Answered]:
    """Made-up answers of a repeat, right more often than not."""
    found = []
    for number in range(1, folds + 1):
        own = videos[[int(g[1:]) % folds == number - 1 for g in videos["group"]]]
        scores = RANDOM.random((len(own), 3))
        scores[np.arange(len(own)), [LABELS.index(x) for x in own["label"]]] += 0.4
        fold = Fold(repeat, number, [], [], list(own["hash"]), sorted(set(own["group"])))
        told = {
            "network": "cnn",
            "features": "",
            "best_epoch": 1,
            "parameters": 7,
            "core_seconds": 0.5,
        }
        found.append(Answered(fold, told, list(own["hash"]), scores / scores.sum(1, keepdims=True)))
    return found


@pytest.fixture(scope="module")
def answered() -> list[Answered]:
    return [one for repeat in (1, 2, 3) for one in repeat_of(table(), repeat)]


def test_a_figure_is_the_mean_over_repeats_and_the_deviation_that_between_them(
    answered: list[Answered],
) -> None:
    answers = answers_of(answered, table(), LABELS)
    found = figures(answers, LABELS, BOOTSTRAP)
    repeats = [own for _, own in answers.groupby("repeat")]
    accuracies = [(own["predicted"] == own["label"]).mean() for own in repeats]
    balanced = [balanced_accuracy_score(own["label"], own["predicted"]) for own in repeats]
    for name, values in (("accuracy", accuracies), ("balanced_accuracy", balanced)):
        assert found[name] == pytest.approx(np.mean(values), abs=1e-6)
        assert found[f"{name}_deviation"] == pytest.approx(pd.Series(values).std(), abs=1e-6)
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]
    counted = {name: found[name] for name in ("videos", "groups", "folds", "repeats")}
    assert counted == {"videos": 60, "groups": 12, "folds": 6, "repeats": 3}
    assert found["between"] == "repeats"
    single = [one for one in answered if one.fold.number == 1]
    splits = figures(answers_of(single, table(), LABELS), LABELS, BOOTSTRAP)
    assert splits["between"] == "official splits"
    assert found["baseline_accuracy"] == pytest.approx(26 / 60, abs=1e-6)


def test_the_interval_of_one_repeat_is_that_of_a_test_of_these_videos() -> None:
    videos = table()
    answers = answers_of(repeat_of(videos, 1), videos, LABELS)
    found = figures(answers, LABELS, BOOTSTRAP)
    own = answers.sort_values("hash")
    targets = np.array([LABELS.index(label) for label in own["label"]])
    scores = own[[f"p_{label}" for label in LABELS]].to_numpy()
    truth = metrics.evaluate(
        targets, scores, list(own["group"]), LABELS, majority=0, bootstrap=BOOTSTRAP
    )
    for name in ("accuracy", "balanced_accuracy"):
        for end in ("", "_low", "_high"):
            assert found[f"{name}{end}"] == pytest.approx(truth[f"{name}{end}"], abs=1e-6)
    assert found["accuracy_deviation"] is None


def test_repeats_make_no_interval_narrower() -> None:
    videos = table()
    once = repeat_of(videos, 1)
    again = [Answered(Fold(2, o.fold.number, [], [], o.videos, o.fold.groups), o.told, o.videos,
                      o.probabilities) for o in once]  # fmt: skip
    one, two = (
        figures(answers_of(some, videos, LABELS), LABELS, BOOTSTRAP)
        for some in (once, [*once, *again])
    )
    assert (one["accuracy_low"], one["accuracy_high"]) == (
        two["accuracy_low"],
        two["accuracy_high"],
    )
    assert two["accuracy_deviation"] == 0


def test_a_row_a_fold(answered: list[Answered]) -> None:
    answers = answers_of(answered, table(), LABELS)
    rows = by_fold(answered, answers)
    assert list(rows["repeat"]) == [1, 1, 2, 2, 3, 3]
    assert list(rows["videos"]) == [30] * 6
    own = answers[(answers["repeat"] == 2) & (answers["fold"] == 1)]
    assert rows["accuracy"][2] == (own["predicted"] == own["label"]).mean()
    assert set(rows["parameters"]) == {7}
