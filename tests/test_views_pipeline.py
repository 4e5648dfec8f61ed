"""The whole pipeline where more is stored than a network sees."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.checkout import make_checkout
from tests.flows.prefect_api import PrefectApi

pytestmark = pytest.mark.slow


def test_the_registered_model_gives_what_was_evaluated_over_all_views(
    tmp_path: Path, prefect_api: PrefectApi
) -> None:
    checkout = make_checkout(tmp_path / "project", clips_per_class=4).served(prefect_api)
    checkout.set_params(extract={"sampler": "segments", "per_segment": 3, "crops": 3})
    checkout.call("reelflow", "run")
    stored = json.loads((checkout.root / "metrics/extract.json").read_text("utf-8"))
    assert stored["frames_per_clip"] == 8
    assert stored["stored_frames_per_clip"] == 8 * 3 * 3
    model = json.loads((checkout.root / "models/model.json").read_text("utf-8"))
    assert model["clip"]["sampler"] == "uniform"
    assert model["clip"]["crops"] == 3

    table = pd.read_csv(checkout.root / "reports/predictions.csv").head(3)
    paths = [f"data/raw/{path}" for path in table["path"]]
    told = checkout.call("reelflow", "predict", "--json", *paths).stdout
    answers = json.loads(told[told.index("[\n") :])
    labels = [column for column in table.columns if column.startswith("p_")]
    for answer, (_, row) in zip(answers, table.iterrows(), strict=True):
        found = [answer["probabilities"][label.removeprefix("p_")] for label in labels]
        assert found == row[labels].tolist()
    assert "Data and pipelines are up to date" in checkout.dvc("repro")
