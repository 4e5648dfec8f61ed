"""Fixtures for tests of the sample."""

from __future__ import annotations

import pytest

from reelflow.sample import SampleSummary, write_sample

SMALL = {"clips_per_class": 10, "groups": 5}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleSummary:
    return write_sample(tmp_path_factory.mktemp("sample") / "raw", **SMALL)
