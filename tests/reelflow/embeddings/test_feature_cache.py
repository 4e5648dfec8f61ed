from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from reelflow.embeddings.feature_cache import unreferenced
from reelflow.embeddings.spec import EmbeddingSpec, Look

SPEC = EmbeddingSpec()


def test_features_of_other_settings_and_of_gone_videos_are_not_wanted(tmp_path: Path) -> None:
    other = replace(SPEC, rate=5.0)
    files = {
        (SPEC.id, "a"): None,
        (SPEC.id, "b"): "features of videos that are gone",
        (other.id, "a"): "features of other settings",
    }
    for spec, video in files:
        path = tmp_path / spec / f"{video}.npy"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = {(p.parent.name, p.stem): why for p, why in unreferenced(tmp_path, SPEC, {"a"})}
    assert found == {key: why for key, why in files.items() if why}


def test_the_spec_survives_json() -> None:
    told = SPEC.to_dict()
    assert EmbeddingSpec.from_dict(told) == SPEC
    assert told["id"] == SPEC.id
    assert json.loads(json.dumps(told)) == told
    other = EmbeddingSpec(
        looks=(Look("ResNet50", layers=("x",), download=True),), flow=False, rate=5.0
    )
    told = json.loads(json.dumps(other.to_dict()))
    assert EmbeddingSpec.from_dict(told) == other
