"""The map of clips: their principal components as NumPy has them, and the share that is unlike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.training.clip_map import MOST, clip_map
from reelflow.training.familiarity import Familiarity

AXES = np.diag([3.0, 1.0, 0.1]).astype(np.float32)
RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(700, 3)).astype(np.float32)


def videos(numbers: range) -> pd.DataFrame:
    return pd.DataFrame({"hash": [str(n) for n in numbers]}, index=[7] * len(numbers))


@pytest.fixture
def familiar(tmp_path: Path) -> Path:
    """The distance from the middle, in units of two, along stretched axes; all score the same."""
    path = tmp_path / "familiar.npz"
    axes = np.hstack([AXES, np.zeros((3, 1), np.float32)])
    Familiarity(np.zeros(3, np.float32), axes, 0 * axes[:1], threshold=2.0).save(path)
    return path


class Head:
    """As a head on embeddings is seen: by what goes into it."""

    input_shape = (None, 3)


def views(video: str) -> np.ndarray:
    return FEATURES[int(video)][np.newaxis]


def test_clips_lie_along_the_two_directions_of_largest_spread(familiar: Path) -> None:
    unlike, found = clip_map(Head(), familiar, views, videos(range(20)), videos(range(20, 60)))
    assert found is not None
    assert found["hash"].tolist()[-20:] == [str(n) for n in range(20)]
    rows = FEATURES[found["hash"].astype(int)] @ AXES
    centred = rows - rows.mean(axis=0)
    components = np.linalg.svd(centred)[2]
    for name, axis in zip("xy", components, strict=False):
        assert np.abs(found[name].to_numpy()) == pytest.approx(np.abs(centred @ axis), abs=1e-4)
    far = np.linalg.norm(FEATURES[:20] @ AXES, axis=1) > 2
    assert unlike == pytest.approx(far.mean())


def test_of_many_clips_some_are_drawn_but_all_of_the_test_are_judged(familiar: Path) -> None:
    unlike, found = clip_map(Head(), familiar, views, videos(range(300)), videos(range(300, 700)))
    assert found is not None
    assert len(found) == found["hash"].nunique() == MOST
    assert (found["hash"].astype(int) < 300).sum() == MOST // 2
    assert unlike == pytest.approx((np.linalg.norm(FEATURES[:300] @ AXES, axis=1) > 2).mean())


def test_without_what_tells_the_learned_ones_there_is_no_map(tmp_path: Path) -> None:
    nothing = clip_map(Head(), tmp_path / "none", views, videos(range(2)), videos(range(2)))
    assert nothing == (None, None)


def test_a_single_feature_is_a_line(tmp_path: Path) -> None:
    path, axes = tmp_path / "familiar.npz", np.ones((1, 2), np.float32)
    Familiarity(axes[0, :1], axes, axes).save(path)
    _, found = clip_map(Head(), path, lambda v: views(v)[:, :1], videos(range(9)), videos(range(9)))
    assert found is not None
    assert found["x"].nunique() == 9
    assert (found["y"] == 0).all()
