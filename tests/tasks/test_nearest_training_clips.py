"""What a checkout knows of a video that is explained: its label, its split, and who is alike."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.crops_and_segments import centre
from reelflow.store.embedding_store import write_embeddings
from tasks.common import nearest_training_clips
from tasks.common.nearest_training_clips import Known, known_videos
from tests.dataset import write_clips

CARD = {"blocks": ["v/l/mean"], "embedding": {"id": "1"}, "data_hash": "d"}
# In two dimensions: a and b are alike, c is opposite.
FEATURES = {"a": [1, 0.1], "b": [0.9, 0.2], "c": [-1, -0.3], "t": [1, 0]}


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data/prepared"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"data_hash": "d"}))
    for split, names in (("train", "abc"), ("validation", ""), ("test", "t")):
        rows = "".join(f"{name},{name}.mp4,label {name},0,g\n" for name in names)
        (folder / f"{split}.csv").write_text(f"hash,path,label,target,group\n{rows}")
    records = [{"v/l/mean": np.float32(values)} for values in FEATURES.values()]
    write_embeddings(tmp_path / "data/embeddings", {"id": "1"}, list(FEATURES), records)
    return folder


def known(**card: object) -> Known:
    return known_videos(SimpleNamespace(input_shape=(None, 2)), {**CARD, **card})


def test_the_training_videos_most_alike_come_first_but_for_the_video_itself(prepared: Path) -> None:
    found = known().nearest(np.float32(FEATURES["a"]), "a")
    assert [one["label"] for one in found] == ["label b", "label c"]
    assert found[0]["likeness"] > 0.5 > -0.5 > found[1]["likeness"]
    assert [one["path"] for one in known().nearest(np.float32([1, 0]), "t")][-1] == "c.mp4"


def test_the_label_and_what_the_video_was_to_the_model(prepared: Path) -> None:
    told = known().of("t")
    assert told == {"label": "label t", "split": "test", "of": "which it was tested on"}
    assert known().of("nobody") is None
    assert "not of the model" in known(data_hash="other").of("t")["of"]


def test_features_of_another_kind_are_not_compared(prepared: Path) -> None:
    other = known(embedding={"id": "2"})
    assert other.nearest(np.float32([1, 0]), "t") == []
    assert other.of("a")["label"] == "label a"


def test_elsewhere_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert known().of("a") is None
    assert known().nearest(np.float32([1, 0]), "a") == []


def test_of_several_crops_the_one_that_is_explained_is_compared(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ClipSpec(2, 16, 16, crops=3)
    pixels = np.random.default_rng(0).integers(0, 256, (3, *spec.stored_shape), np.uint8)
    clips = {name: Clip(one, np.arange(2) / 25) for name, one in zip("abc", pixels, strict=True)}
    write_clips(prepared.parent / "frames", clips, spec)
    # The model sees the mean of each colour.
    monkeypatch.setattr(
        nearest_training_clips,
        "features_of_clips",
        lambda model: lambda clips: np.float32(clips.mean(axis=(1, 2, 3))),
    )
    found = known_videos(None, {"clip": spec.seen.to_dict(), "data_hash": "d"}).features
    for name, clip in clips.items():
        middle = centre(clip.frames, spec).mean(axis=(0, 1, 2))
        np.testing.assert_allclose(found[name], middle, rtol=1e-5)
