"""Fixtures for the flows: a tiny project, by itself and with a real Prefect server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.prefect_api import PrefectApi
from tests.flows.tiny import Tiny


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    (tmp_path / "project").mkdir()
    made = Tiny(tmp_path / "project")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def served(tiny: Tiny, prefect_api: PrefectApi) -> Tiny:
    """A tiny project whose runs report to the session's server."""
    tiny.environment |= prefect_api.environment()
    return tiny
