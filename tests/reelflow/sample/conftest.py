"""Fixtures for tests of the sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelflow.sample import write_sample

SMALL = {"clips_per_class": 10, "groups": 5}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small sample."""
    root = tmp_path_factory.mktemp("sample") / "raw"
    assert write_sample(root, **SMALL).startswith("60 videos of 6 classes in 5 groups, and 5 files")
    return root
