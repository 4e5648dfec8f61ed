"""Alarms: for each a data set that is made to raise it, and one in which all are silent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.evaluation import metrics
from reelflow.evaluation.alarms import ALARMS, Facts, Looks, hidden_groups, raised
from reelflow.evaluation.intervals import Bootstrap
from reelflow.evaluation.verdict import Floor, judge

GROUPS, EACH = 20, 4
VIDEOS = GROUPS * EACH
TARGETS = np.arange(VIDEOS) % 2
GROUP = [f"g{number // EACH}" for number in range(VIDEOS)]
RANDOM = np.random.default_rng(0)


def judged(right: np.ndarray) -> dict[str, Any]:
    """Scores and verdict of a model that is right there."""
    answers = np.where(right, TARGETS, 1 - TARGETS)
    scores = metrics.evaluate(
        TARGETS,
        np.eye(2)[answers] * 0.8 + 0.1,
        GROUP,
        ["a", "b"],
        majority=0,
        bootstrap=Bootstrap(99),
    )
    verdict = judge(scores, "balanced_accuracy", "a", 0.95, Floor(10, 5))
    return {"scores": scores, "verdict": verdict, "right": right}


def scenes(scenes: int, each: int, seed: int = 0) -> np.ndarray:
    """Backgrounds of clips of so many scenes."""
    random = np.random.default_rng(seed)
    return np.repeat(random.normal(size=(scenes, 15)), each, axis=0) + random.normal(
        scale=0.15, size=(scenes * each, 15)
    )


def sound() -> Facts:
    """A test in which nothing is wrong."""
    test = pd.DataFrame({"hash": [f"t{i}" for i in range(VIDEOS)], "group": GROUP})
    learned = pd.DataFrame({"hash": ["l0", "l1"]})
    hashes = [*test["hash"], *learned["hash"]]
    alike = [None] * (len(hashes) - 2) + ["same", "same"]
    manifest = pd.DataFrame({"hash": hashes, "path": [f"{h}.mp4" for h in hashes], "alike": alike})
    right = np.arange(VIDEOS) % 10 != 0
    return Facts(
        **judged(right),
        shortcuts={"the size": {"share": 0.55, "low": 0.45, "high": 0.6, "alarming": False}},
        test=test,
        learned=learned,
        manifest=manifest,
        frozen=np.arange(VIDEOS) % 4 < 2,
        candidates=(),
        looks=Looks(scenes(60, 1), np.arange(60) % 2, RANDOM.normal(size=(60, 5)), "looks"),
    )


def alone() -> dict[str, Any]:
    share = {"share": 0.88, "low": 0.8, "high": 0.95, "alarming": True}
    return {"shortcuts": {"the size": share}}


def copies() -> dict[str, Any]:
    manifest = sound().manifest
    return {"manifest": manifest.assign(alike=["one", *[None] * (len(manifest) - 2), "one"])}


def undecided() -> dict[str, Any]:
    """A model that is always right in some groups and never in others, of which there are few."""
    right = np.arange(VIDEOS) // (VIDEOS // 6) % 3 != 0
    groups = [f"h{number // (VIDEOS // 6)}" for number in range(VIDEOS)]
    scores = metrics.evaluate(
        TARGETS,
        np.eye(2)[np.where(right, TARGETS, 1 - TARGETS)],
        groups,
        ["a", "b"],
        majority=0,
        bootstrap=Bootstrap(99),
    )
    return {
        "scores": scores,
        "verdict": judge(scores, "balanced_accuracy", "a", 0.95, Floor(10, 5)),
    }


def twins() -> Looks:
    looks = scenes(20, 5)
    return Looks(looks, np.repeat(np.arange(20) % 2, 5), looks, "looks")


def with_backgrounds(backgrounds: np.ndarray) -> Facts:
    count = len(backgrounds)
    return replace(sound(), looks=Looks(backgrounds, np.arange(count) % 2, backgrounds, "looks"))


CASES = {
    "majority": (lambda: judged(np.arange(VIDEOS) % 2 == 0), "is not shown to beat"),
    "near_duplicates": (copies, "1 test video of 80 has a near-duplicate"),
    "metadata": (alone, "from the size alone, a small model reaches 88%"),
    "one_frame": (lambda: {"frozen": sound().right}, "Time may not matter"),
    "hidden_groups": (lambda: {"looks": twins()}, "many clips share their background"),
    "wide_interval": (undecided, "this test decides nothing"),
}


def test_where_nothing_is_wrong_every_alarm_is_silent() -> None:
    assert raised(sound()) == dict.fromkeys(ALARMS)


def test_every_alarm_has_a_data_set_that_raises_it() -> None:
    assert CASES.keys() == ALARMS.keys()


@pytest.mark.parametrize("name", CASES)
def test_a_data_set_made_to_raise_it_does(name: str) -> None:
    change, words = CASES[name]
    said = raised(replace(sound(), **change()))[name]
    assert said is not None
    assert words in said
    assert said.endswith(".")


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.98, "A model without pictures is as good: from the size alone"),
     (0.87, "The test is too small to show that this model is better than one without pictures: "),
     (0.7, "The class can be predicted without the pictures: from the size alone")],
)  # fmt: skip
def test_a_model_without_pictures_is_compared_with_this_one(share: float, words: str) -> None:
    told = {"share": share, "low": share - 0.1, "high": 1.0, "alarming": True}
    both = {"the size": told, "the light": {**told, "alarming": False}}
    said = raised(replace(sound(), shortcuts=both))["metadata"]
    assert said is not None
    assert said.startswith(words)
    assert f"a small model reaches {share:.0%} (" in said
    assert "this model, with pictures, 90%" in said


def test_a_random_split_flatters_where_scenes_give_the_class_away() -> None:
    """Each scene has one class, which its background does not tell: a twin does."""
    looks = twins()
    closeness, found = hidden_groups.measure(looks.backgrounds)
    assert closeness < hidden_groups.CLOSE
    assert len(set(found.tolist())) == pytest.approx(20, abs=3)
    random = hidden_groups.accuracy_by_folds(looks.features, looks.targets, np.arange(100))
    apart = hidden_groups.accuracy_by_folds(looks.features, looks.targets, found)
    assert random is not None
    assert apart is not None
    assert random > apart + 0.1
    said = hidden_groups.alarm(replace(sound(), looks=looks))
    assert f"too good by about {100 * (random - apart):.0f} percentage points" in str(said)


def test_features_that_do_not_know_the_scene_are_not_flattered() -> None:
    looks = twins()
    told = looks.targets[:, np.newaxis] + RANDOM.normal(size=(100, 3))
    looks = replace(looks, features=told, kind="what it reads")
    said = hidden_groups.alarm(replace(sound(), looks=looks))
    assert "A linear model of what it reads is right for" in str(said)
    assert "scenes hardly flatter that one" in str(said)


@pytest.mark.parametrize("seed", range(5))
def test_clips_of_scenes_of_their_own_are_no_groups(seed: int) -> None:
    looks = scenes(80, 1, seed) @ np.random.default_rng(seed).normal(size=(15, 15))
    assert raised(with_backgrounds(looks))["hidden_groups"] is None


def test_clips_that_all_look_the_same_tell_nothing() -> None:
    for looks in (np.zeros((40, 15)), np.repeat([[0.0] * 15, [9.0] * 15], [39, 1], axis=0)):
        assert raised(with_backgrounds(looks))["hidden_groups"] is None


def test_a_head_on_embeddings_is_compared_with_looks_by_its_folds() -> None:
    def rows(motion: float) -> list[dict[str, Any]]:
        return [
            {
                "features": "appearance",
                "balanced_accuracy": 0.7,
                "standard_error": 0.03,
                "chosen": False,
            },
            {
                "features": "motion",
                "balanced_accuracy": motion,
                "standard_error": 0.03,
                "chosen": True,
            },
            {
                "features": "network r2plus1d",
                "not_tried": "90 minutes of work",
                "chosen": False,
            },
        ]

    for motion, silent in ((0.85, True), (0.72, False)):
        said = raised(replace(sound(), frozen=None, candidates=rows(motion)))["one_frame"]
        assert (said is None) == silent
