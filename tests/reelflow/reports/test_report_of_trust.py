"""What the report says of confidences, alarms, suspect labels, slices and more videos."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reelflow.evaluation.intervals import Bootstrap
from reelflow.evaluation.label_errors import suspects
from reelflow.evaluation.sureness import measure
from reelflow.reports.evaluation_report import render, warnings
from tests.evaluations import MIXED, clip, evaluation

LABELS = ["left", "right"]


def test_alarms_and_a_slice_that_stands_are_warnings_and_silent_ones_are_not() -> None:
    worst = {
        "name": "dark clips",
        "videos": 9,
        "accuracy": 0.5,
        "accuracy_of_others": 0.9,
        "p": 0.01,
    }
    told = {"hidden_groups": "Groups may be hidden.", "one_frame": None}
    slices = {"slices": 12, "worst": {**worst, "stands": True}}
    found = warnings.warnings(evaluation(*MIXED, alarms=told, slices=slices))
    assert "Groups may be hidden." in found
    assert any(one.startswith("It does worse on dark clips: right for 50% of 9") for one in found)
    slices["worst"]["stands"] = False  # type: ignore[index]
    silent = warnings.warnings(evaluation(*MIXED, slices=slices))
    assert not [one for one in silent if "dark" in one or "hidden" in one or "None" in one]


def test_confidences_are_shown_before_and_after() -> None:
    made = evaluation(*MIXED)
    after = made.predictions[["p_left", "p_right"]].to_numpy()
    before = np.where(after > 0.5, 0.99, 0.01)
    test = pd.DataFrame({"target": MIXED[1], "group": [None] * len(after)})
    left_out = pd.DataFrame(columns=["target", "p_left", "p_right"])
    sure = measure(test, before, after, LABELS, 2.5, left_out, Bootstrap(50))
    page = render(evaluation(*MIXED, sureness=sure, unlike=0.25), clip)
    for words in (
        "How sure it is",
        "Before its temperature of 2.50",
        "Cohen’s kappa",
        "confidence from",
        "No confidence was found",
        "25% of the test videos are unlike",
    ):
        assert words in page
    assert "How sure it is" not in render(made, clip)


def test_labels_that_look_wrong_are_shown_with_their_frames() -> None:
    made = evaluation(*MIXED)
    rows = suspects(made.predictions, LABELS)
    page = render(evaluation(*MIXED, suspects=rows), clip)
    section = page[page.index('id="labels"') :]
    section = section[: section.index("</section>")]
    assert section.count("<img") == min(len(rows), 6) > 0
    assert f"{len(rows)} video of" in section
    assert 'id="labels"' not in render(made, clip)


def test_what_more_videos_would_give_stands_beside_the_choice() -> None:
    points = [
        {"videos": n, "balanced_accuracy": a} for n, a in ((33, 0.766), (71, 0.82), (144, 0.858))
    ]
    curve = {"points": points, "twice": {"expected": 0.888, "low": 0.835, "high": 0.941}}
    row = {"balanced_accuracy": 0.858, "standard_error": 0.03, "chosen": False}
    rows = [
        {**row, "features": "flow", "share": 0.28},
        {**row, "features": "motion"},
        {**row, "features": "average of flow, whole", "chosen": True},
    ]
    page = render(evaluation(*MIXED, candidates=rows, curve=curve), clip)
    text = " ".join(page.split())
    assert "Learned from 33, 71 and 144 videos" in text
    assert "77%, 82% and 86% in the folds" in text
    assert text.count("of the average)") == 1
    assert "flow (28% of the average)" in text
    assert "would give about 89%" in text
