"""What is kept of folds that are done, and by what it is known again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reelflow.crossval.figures import Answered
from reelflow.crossval.finished_folds import Job, find, keep, path_of, unreferenced
from reelflow.crossval.folds import Fold

FOLD = Fold(1, 2, ["a", "b"], ["c"], ["d"], ["g4"])
FACTS = {"a": ("x", "g1"), "b": ("y", "g2"), "c": ("x", "g3"), "d": ("y", "g4")}
JOB = Job(FOLD, {"epochs": 1}, {"epochs": 1}, "code and stores", FACTS)
ANSWERED = Answered(FOLD, {"network": "cnn"}, ["d"], np.array([[0.25, 0.75]]))


@pytest.mark.parametrize(
    "change",
    [
        {"in_use": {"epochs": 2}},
        {"made_by": "other code"},
        {"facts": {**FACTS, "a": ("y", "g1")}},
        {"facts": {**FACTS, "a": ("x", "g2")}},
        {"fold": replace(FOLD, learned=["a"])},
        {"fold": replace(FOLD, learned=["b", "a"])},
        {"fold": replace(FOLD, learned=["a", "c"], watched=["b"])},
    ],
)
def test_whatever_changes_the_answers_changes_the_key(change: dict[str, Any]) -> None:
    assert replace(JOB, **change).key != JOB.key


def test_settings_of_other_networks_and_numbers_of_folds_do_not() -> None:
    assert replace(JOB, params={"epochs": 1, "cnn": {}}).key == JOB.key
    assert replace(JOB, fold=replace(FOLD, repeat=3, number=1)).key == JOB.key


def test_what_is_kept_is_found_again_and_what_is_damaged_is_not(tmp_path: Path) -> None:
    assert find(tmp_path, JOB) is None
    keep(tmp_path, JOB, ANSWERED)
    found = find(tmp_path, JOB)
    assert found is not None
    assert (found.told, found.videos, found.fold) == (ANSWERED.told, ["d"], FOLD)
    assert found.probabilities.tolist() == [[0.25, 0.75]]
    assert found.right({video: label for video, (label, _) in FACTS.items()}).mean() == 1.0
    path = path_of(tmp_path, JOB.key)
    path.write_text(path.read_text()[:40])
    assert find(tmp_path, JOB) is None


def test_what_no_cross_validation_would_find_again_is_garbage(tmp_path: Path) -> None:
    keep(tmp_path, JOB, ANSWERED)
    now = {JOB.made_by, "of networks that read embeddings"}
    assert list(unreferenced(tmp_path, now, {"d"})) == []
    path = path_of(tmp_path, JOB.key)
    assert list(unreferenced(tmp_path, now, {"e"})) == [path]
    assert list(unreferenced(tmp_path, {"other code"}, {"d"})) == [path]
    for damaged in ("{", "[]", '{"made_by": {"code": ""}, "videos": []}'):
        path.write_text(damaged)
        assert list(unreferenced(tmp_path, now, {"d"})) == [path]
