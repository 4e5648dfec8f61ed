"""By what a fold is known again beside its videos and settings: the code, and what it reads."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from flows.engine import fold_jobs
from flows.engine.fold_jobs import made_by_of


def known(
    monkeypatch: pytest.MonkeyPatch,
    network: str,
    code: str = "c",
    frames: str = "f",
    spec: str = "e",
) -> str:
    monkeypatch.setattr(fold_jobs, "_code", lambda: code)
    monkeypatch.setattr(fold_jobs, "FrameStore", lambda _: SimpleNamespace(id=frames))
    monkeypatch.setattr(fold_jobs, "EmbeddingStore", lambda _: SimpleNamespace(spec={"id": spec}))
    return made_by_of(network)


@pytest.mark.parametrize("network", ["cnn", "transfer", "auto"])
def test_other_code_and_other_frames_are_other_folds(
    monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    found = {
        known(monkeypatch, network),
        known(monkeypatch, network, code="other"),
        known(monkeypatch, network, frames="other"),
    }
    assert len(found) == 3


def test_other_embeddings_matter_where_they_are_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for network, matters in (("cnn", False), ("transfer", True), ("auto", True)):
        same = known(monkeypatch, network) == known(monkeypatch, network, spec="other")
        assert same is not matters
