"""Where no groups are given: do clips share backgrounds, so that a random split separates twins?

What stands still in a clip is its median frame; of that, quantiles of the colours are kept, which
a camera's slow drift does not change. If clips come from scenes of their own, the nearest other one
is about as far as where each direction of these quantiles is dealt out to the clips anew; if
several come from one scene, it is much nearer. Clips nearer than that are clustered (average
linkage), and a linear model of what the model reads is judged twice: by a random split, and by one
that keeps clusters together (stratified folds, three shuffles).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.words import percent
from reelflow.evaluation.alarms.facts import Facts, Looks
from reelflow.evaluation.answers import Ints
from reelflow.evaluation.intervals import Floats
from reelflow.store.embedding_store import EmbeddingStore
from reelflow.store.frame_store import FrameStore

# Clips of 28 to 40 scenes of their own (one a group of `fights`, of the sample) have 0.79 to 1.1,
# all of them 0.38 to 0.48: docs/evaluation.md.
CLOSE = 0.65
LEAST_VIDEOS = 20
# More take long to cluster and tell the same.
MOST_VIDEOS = 1500
_SAME = 1e-9
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Of embeddings, what a video looks like.
_LOOKS = "/mean/"
# A lead of the random split that other shuffles do not explain.
_FLATTERS = 0.05
_DIRECTIONS, _DEALS, _SHUFFLES, _FOLDS = 8, 10, 3, 5


def background(frames: NDArray[np.uint8]) -> Floats:
    """What stands still: quantiles of the colours of the median frame, float64 (15,).

    Args:
        frames: uint8 RGB (T, H, W, 3).
    """
    still = np.median(frames, axis=0).reshape(-1, 3)
    return np.asarray(np.quantile(still, _QUANTILES, axis=0).ravel())


def looks_of(
    videos: pd.DataFrame, store: FrameStore, embeddings: Path, read: Sequence[str] = ()
) -> Looks | None:
    """What is seen of the videos; None where a group is known.

    Args:
        videos: a row a video: `hash`, `target`, `known_group`.
        store: the frames.
        embeddings: the folder of an `EmbeddingStore`, which may have none of these videos.
        read: the blocks of it that the model reads; if none, `features` are of looks.
    """
    if videos["known_group"].notna().any():
        return None
    videos = videos.sort_values("hash").head(MOST_VIDEOS)
    found = np.stack([background(store.frames(video)) for video in videos["hash"]])
    known = EmbeddingStore(embeddings) if embeddings.is_dir() else None
    features = found
    if known and set(videos["hash"]) <= set(known.hashes):
        blocks = list(read) or [block for block in known.blocks if _LOOKS in f"{block}/"]
        if blocks:
            features = np.hstack([known.features(block, videos["hash"]) for block in blocks])
    targets = videos["target"].to_numpy(np.int64)
    kind = "the features that this model reads" if read else "what the clips look like"
    return Looks(found, targets, features, kind)


def alarm(facts: Facts) -> str | None:
    """How near backgrounds are, and what each split gives."""
    looks = facts.looks
    if looks is None or len(looks.backgrounds) < LEAST_VIDEOS:
        return None
    closeness, found = measure(looks.backgrounds)
    if closeness > CLOSE:
        return None
    return (
        f"Groups may be hidden: no groups are given, but many clips share their background. The "
        f"nearest other one is {percent(closeness)} as far as if each clip had a scene of its own, "
        f"and {len(found)} clips fall into {len(set(found.tolist()))} clusters. "
        f"{_flattery(looks, found)}Name the scenes in a column “group” of videos.csv, or the test "
        "flatters by as much as scenes give the class away."
    )


def _flattery(looks: Looks, clusters: Ints) -> str:
    """How much a random split flatters, a sentence; empty where a class has one cluster alone."""
    random, apart = (
        accuracy_by_folds(looks.features, looks.targets, groups)
        for groups in (np.arange(len(clusters)), clusters)
    )
    if random is None or apart is None:
        return ""
    lead = (
        f"the test may be too good by about {100 * (random - apart):.0f} percentage points"
        if random - apart > _FLATTERS
        else "scenes hardly flatter that one"
    )
    return (
        f"A linear model of {looks.kind} is right for {percent(random)} by a random split and for "
        f"{percent(apart)} where clusters stay together: {lead}. "
    )


def measure(backgrounds: Floats) -> tuple[float, Ints]:
    """How far the nearest other clip is, as a share of what scenes of their own would give; and the
    cluster of each clip, (M,)."""
    from sklearn.cluster import AgglomerativeClustering

    nothing = 1.0, np.arange(len(backgrounds))
    if np.ptp(backgrounds, axis=0).max() < _SAME:
        return nothing
    places = _places(backgrounds)
    expected = _expected(places)
    if expected < _SAME:
        return nothing  # most look the same
    dealer = AgglomerativeClustering(None, linkage="average", distance_threshold=expected)
    found = np.asarray(dealer.fit_predict(places), dtype=np.int64)
    return float(np.median(_nearest(places))) / expected, found


def accuracy_by_folds(
    features: NDArray[np.floating], targets: Ints, groups: Ints, model: Any = None
) -> float | None:
    """Balanced accuracy of a model, by default ridge regression, in stratified folds of these
    groups; None where a class has fewer than two."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fewest = min(len(np.unique(groups[targets == target])) for target in np.unique(targets))
    if fewest < 2:
        return None
    # As strong a penalty as a head on embeddings takes: a tenth of a video a feature.
    ridge = RidgeClassifier(0.1 * features.shape[1])
    pipeline = make_pipeline(StandardScaler(), ridge if model is None else model)
    found = []
    for shuffle in range(_SHUFFLES):
        dealer = StratifiedGroupKFold(min(_FOLDS, fewest), shuffle=True, random_state=shuffle)
        said = cross_val_predict(pipeline, features, targets, groups=groups, cv=dealer)
        found.append(balanced_accuracy_score(targets, said))
    return float(np.mean(found))


def _places(backgrounds: Floats) -> Floats:
    """Along the directions of largest spread, each with the same spread."""
    from sklearn.decomposition import PCA

    most = min(_DIRECTIONS, len(backgrounds) - 1, backgrounds.shape[1])
    pca = PCA(most, whiten=True, svd_solver="full")
    found = pca.fit_transform(backgrounds)
    # What hardly varies is rounding, which whitening would blow up.
    return np.asarray(found[:, pca.explained_variance_ > 1e-9 * pca.explained_variance_[0]])


def _nearest(places: Floats) -> Floats:
    """The distance of each (N, D) to the nearest other one, (N,)."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=2).fit(places).kneighbors(places)[0]
    return np.asarray(found[:, 1])


def _expected(places: Floats) -> float:
    """The median distance to the nearest where directions are dealt out anew."""
    random = np.random.default_rng(0)
    dealt = [
        np.column_stack([random.permutation(axis) for axis in places.T]) for _ in range(_DEALS)
    ]
    return float(np.median([np.median(_nearest(each)) for each in dealt]))
