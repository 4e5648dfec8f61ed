"""Do file properties give the class away?

Where the clips of a class come from another camera or another program than the rest, a network
can learn the camera: size, rate, codec, sharpness. A small model predicts the class from what the
manifest holds of each file, without a picture. What it predicts on groups that it has not seen, a
network could use too, and the test would not show it: its videos have the same origin.

The folds are scikit-learn's StratifiedGroupKFold: each video is answered for by models that saw
none of its group. Probabilities are averaged over shuffles of the folds, because one shuffle of
few groups moves the score by several points; every class weighs the same.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.dataset.keep_together import sources
from reelflow.evaluation.answers import Ints
from reelflow.evaluation.intervals import Bootstrap, Floats
from reelflow.evaluation.metrics import evaluate, precision, recall

FOLDS, SHUFFLES, RESAMPLINGS, TREES = 5, 2, 500, 30
# More videos hardly narrow the interval: a simple random sample, drawn by content hash.
MOST_VIDEOS = 1500
# Least share of the way from chance to certainty that the low end must show: the interval does
# not include the uncertainty of the folds, and slightly above chance is no shortcut. Where one
# class is predicted, guessing among the fewer others is easier; with few groups, one odd group
# decides.
LEAST, LEAST_OF_A_CLASS, LEAST_OF_FEW_GROUPS = 0.05, 0.4, 0.25
FEW_GROUPS = 10
EVERYTHING = "all of these"
BRIGHTNESS = "mean brightness"


@dataclass(frozen=True)
class Score:
    """Balanced accuracy, or the recall of one class, of a model that sees no picture.

    Attributes:
        share: 0 to 1.
        low: low end of the 95 % interval, from drawing whole groups; None where there is none.
        high: its high end.
        alarming: whether it is clearly more than chance.
    """

    share: float
    low: float | None
    high: float | None
    alarming: bool


@dataclass(frozen=True)
class Shortcuts:
    """How well file properties predict the class.

    Attributes:
        chance: balanced accuracy of guessing.
        by: balanced accuracy by the properties that the model was given; `EVERYTHING` comes first,
            `BRIGHTNESS` is in none of the others.
        classes: recall of each class with `EVERYTHING`, the highest first.
        left_out: classes of one group alone, of which nothing is known.
        videos: how many were asked about.
        groups: of how many groups.
        folds: into how many parts the groups were dealt.
    """

    chance: float
    by: dict[str, Score]
    classes: dict[str, Score]
    left_out: list[str]
    videos: int
    groups: int
    folds: int


def measure(videos: pd.DataFrame) -> Shortcuts | None:
    """Train and test the small models; None where fewer than two classes have two groups each.

    Args:
        videos: a row a video: the manifest, and `brightness` (0 to 255) of its clip.

    Costs some 2 s, half of them the import of scikit-learn; no more for more videos.
    """
    videos = videos.sort_values("hash", ignore_index=True).head(MOST_VIDEOS)
    videos = videos.assign(source=sources(videos))
    groups_of = videos.groupby("label")["source"].nunique()
    left_out = sorted(groups_of.index[groups_of < 2])
    videos = videos[~videos["label"].isin(left_out)].reset_index(drop=True)
    if videos["label"].nunique() < 2:
        return None
    labels = sorted(videos["label"].unique())
    targets = videos["label"].map(labels.index).to_numpy(np.int64)
    codes = videos["source"].to_numpy(np.int64)
    folds = min(FOLDS, int(groups_of[labels].min()))
    found = {}
    for name, features in _features(videos).items():
        found[name] = evaluate(
            targets,
            _answers(features, targets, codes, folds, TREES if name == EVERYTHING else 0),
            list(codes),
            labels,
            majority=0,
            bootstrap=Bootstrap(RESAMPLINGS),
            metrics=[recall, precision],
        )
    return Shortcuts(
        1 / len(labels),
        {
            name: _score(scores, "balanced_accuracy", 1 / len(labels))
            for name, scores in found.items()
        },
        _classes(found[EVERYTHING], np.bincount(targets) / len(targets)),
        left_out,
        len(videos),
        len(np.unique(codes)),
        folds,
    )


def _features(videos: pd.DataFrame) -> dict[str, Floats]:
    """What a model is given, float (N, F), by name."""
    seconds = videos["duration"].clip(lower=1e-3)
    pixels = videos["width"] * videos["height"]
    made_by = ["codec", "container", "pixel_format", "time_base"]
    parts: dict[str, list[Any]] = {
        "size of the picture": [videos["width"], videos["height"], videos["width"] / pixels**0.5],
        "frames a second": [videos["fps"]],
        "length": [videos["duration"], videos["frames"]],
        "codec and container": [*_indicators(videos[made_by]), videos["rotation"], videos["start"]],
        "bytes": [
            videos["bytes"], videos["bytes"] / seconds, videos["bytes"] / pixels / videos["frames"]
        ],
    }  # fmt: skip
    tables = {name: np.column_stack(columns).astype(float) for name, columns in parts.items()}
    return {
        EVERYTHING: np.hstack(list(tables.values())),
        **tables,
        BRIGHTNESS: videos[["brightness"]].to_numpy(float),
    }


def _indicators(table: pd.DataFrame, most: int = 20) -> list[NDArray[np.bool_]]:
    """A column a value, for the commonest values of each column."""
    return [
        (column == value).to_numpy()
        for _, column in table.items()
        for value in column.value_counts().sort_index().nlargest(most).index
    ]


def _answers(features: Floats, targets: Ints, codes: Ints, folds: int, trees: int) -> Floats:
    """Mean probabilities (N, K) by models that did not see the video's group: a forest of `trees`,
    or for 0, which is enough for a single property, one tree."""
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.tree import DecisionTreeClassifier

    options: dict[str, Any] = {"class_weight": "balanced", "random_state": 0}
    model = (
        ExtraTreesClassifier(trees, min_samples_leaf=3, **options)
        if trees
        else DecisionTreeClassifier(min_samples_leaf=5, max_leaf_nodes=32, **options)
    )
    answers = []
    for shuffle in range(SHUFFLES):
        dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=shuffle)
        # It warns of a fold whose models saw nothing of a class, which they then never predict.
        with warnings.catch_warnings(action="ignore"):
            answers.append(
                cross_val_predict(
                    model, features, targets, groups=codes, cv=dealer, method="predict_proba"
                )
            )
    return np.mean(answers, axis=0)


def _classes(scores: dict[str, Any], common: Floats) -> dict[str, Score]:
    scored = {}
    for (label, figures), share in zip(scores["per_class"].items(), common, strict=True):
        found = _score({**scores, **figures}, "recall", 1 / len(common), LEAST_OF_A_CLASS)
        # A model that always gives one answer has full recall of it, and shows nothing.
        sure = _clear(figures["precision_low"], float(share), LEAST_OF_A_CLASS)
        scored[label] = replace(found, alarming=found.alarming and sure)
    return dict(sorted(scored.items(), key=lambda item: (-item[1].share, item[0])))


def _score(scores: dict[str, Any], name: str, chance: float, least: float = LEAST) -> Score:
    low, high = scores[f"{name}_low"], scores[f"{name}_high"]
    if scores["groups"] < FEW_GROUPS:
        least = max(least, LEAST_OF_FEW_GROUPS)
    return Score(scores[name], low, high, _clear(low, chance, least))


def _clear(low: float | None, chance: float, least: float) -> bool:
    return low is not None and low - chance > least * (1 - chance)
