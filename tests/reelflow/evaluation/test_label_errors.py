"""Labels that look wrong: planted ones come first, and the bar is each class's own."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reelflow.evaluation.label_errors import suspects

LABELS = ["a", "b", "c"]


def answers(videos: int = 300, seed: int = 0) -> tuple[pd.DataFrame, list[str]]:
    """Answers to videos, and the paths of twelve whose label was changed."""
    random = np.random.default_rng(seed)
    truth = np.arange(videos) % 3
    scores = random.normal(size=(videos, 3))
    scores[np.arange(videos), truth] += 4
    chance = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    changed = random.choice(videos, 12, replace=False)
    given = truth.copy()
    given[changed] = (truth[changed] + 1) % 3
    table = pd.DataFrame(chance, columns=[f"p_{label}" for label in LABELS])
    paths = [f"{number:03}.mp4" for number in range(videos)]
    table = table.assign(label=[LABELS[k] for k in given], path=paths)
    return table, [paths[at] for at in changed]


def test_planted_labels_come_first() -> None:
    table, changed = answers()
    found = suspects(table, LABELS)
    assert len(set(found["path"].head(12)) & set(changed)) >= 10
    assert len(found) < 25
    assert (found["predicted"] != found["label"]).all()


def test_the_bar_is_the_mean_of_the_class_by_hand() -> None:
    table = pd.DataFrame(
        {
            "path": ["1", "2", "3", "4"],
            "label": ["a", "a", "b", "b"],
            "p_a": [0.9, 0.2, 0.55, 0.1],
            "p_b": [0.1, 0.8, 0.45, 0.9],
            "p_c": [0.0, 0.0, 0.0, 0.0],
        }
    )
    # Bars: a 0.55, b 0.675. The second is over b's, the third on a's.
    found = suspects(table, LABELS)
    assert found["path"].tolist() == ["2", "3"]
    assert found["predicted"].tolist() == ["b", "a"]
    assert found["confidence"].tolist() == [0.8, 0.55]


def test_right_answers_and_no_answers_make_nobody_suspect() -> None:
    table, _ = answers()
    right = table.assign(
        label=[LABELS[k] for k in table.filter(like="p_").to_numpy().argmax(axis=1)]
    )
    assert suspects(right, LABELS).empty
    assert suspects(table.head(0), LABELS).empty
