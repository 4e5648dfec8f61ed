"""Boxes of the source become boxes of what the model was shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reelflow.explain.explainable_model import Look
from reelflow.explain.true_boxes import true_boxes
from reelflow.store.clip_spec import ClipSpec
from tests.explained import info

LIST = "path,frame,x,y,width,height\n" + "".join(
    f"disc/a.mp4,{frame},{40 + frame},20,10,8\n" for frame in range(8)
)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    (tmp_path / "boxes.csv").write_text(LIST)
    (tmp_path / "disc").mkdir()
    return tmp_path / "disc/a.mp4"


def look(height: int, width: int) -> Look:
    """Frames 1, 4 and 6 of a video of 160 by 120."""
    frames = np.zeros((3, height, width, 3), np.uint8)
    return Look(frames, np.array([0.1, 0.4, 0.6]), info(8, 120, 160), {})


def test_cropped_to_a_square_by_hand(video: Path) -> None:
    found = true_boxes(video, look(60, 60), ClipSpec(3, 60, 60, fit="crop"))
    # Half the size: 80 by 60, of which 10 go left and right.
    np.testing.assert_allclose(found[0], [41 / 2 - 10, 10, 51 / 2 - 10, 14])
    np.testing.assert_allclose(found[:, 0], [10.5, 12, 13])


def test_padded_and_stretched_by_hand(video: Path) -> None:
    padded = true_boxes(video, look(80, 80), ClipSpec(3, 80, 80, fit="pad"))
    np.testing.assert_allclose(padded[0], [20.5, 20, 25.5, 24])  # 80 by 60, 10 above and below
    stretched = true_boxes(video, look(80, 80), ClipSpec(3, 80, 80, fit="stretch"))
    np.testing.assert_allclose(stretched[0], [20.5, 40 / 3, 25.5, 56 / 3])
    np.testing.assert_allclose(true_boxes(video, look(120, 160), None)[0], [41, 20, 51, 28])


def test_nobody_knows_where_the_thing_is(video: Path, tmp_path: Path) -> None:
    assert true_boxes(tmp_path / "disc/other.mp4", look(60, 60), None) is None
    moved = ClipSpec(3, 60, 60, region="motion")
    assert true_boxes(video, look(60, 60), moved) is None
    (tmp_path / "boxes.csv").unlink()
    assert true_boxes(video, look(60, 60), None) is None
