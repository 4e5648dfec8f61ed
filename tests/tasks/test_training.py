"""`Training`, the value that the stage `train` and each fold run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from reelflow.params.train import TrainParams
from reelflow.store.clip_spec import ClipSpec
from tasks import train


def test_left_out_videos_are_answered_for_when_somebody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers other than the first never ask."""
    asked: list[Any] = []
    fitted = SimpleNamespace(model="model", history=pd.DataFrame(), best={})
    monkeypatch.setattr(train, "fit", lambda *arguments: fitted)
    monkeypatch.setattr(train.LeftOut, "of_frames", lambda *arguments: asked.append(arguments))
    videos = pd.DataFrame({"hash": ["a", "b"], "target": [0, 1]})
    store: Any = SimpleNamespace(spec=ClipSpec(2, 8, 8))
    meta = {"labels": ["x", "y"], "class_weights": {"x": 1.0, "y": 1.0}}
    params = TrainParams.model_validate({"network": "cnn"})
    found = train.Training(
        params, meta, store, Path(), videos[:1], videos[1:], lambda history: None
    ).run()
    assert not asked
    found.left_out()
    ((model, _, learned, left),) = asked
    assert model == "model"
    assert (list(learned["hash"]), list(left["hash"])) == (["a"], ["b"])
