"""From a video file to its features: the same bits each time, kept by content, and no guesses."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reelflow.backbones import backbone, weights_id
from reelflow.base.determinism import deterministic
from reelflow.base.errors import VideoError
from reelflow.embeddings.embed import Embedder, embed, read_views
from reelflow.embeddings.feature_cache import FeatureCache
from reelflow.embeddings.flow_statistics import FLOW_BLOCK
from reelflow.embeddings.spec import EmbeddingSpec, Look
from reelflow.extraction.engines import Video
from reelflow.params.embed import EmbedParams
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds
from tasks.embed import embedding_spec
from tests.conftest import MakeVideo

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STATISTICS = ("mean", "mean_abs_difference", "local_differences", "root_local_differences")
LOOK = Look(statistics=STATISTICS)
SPEC = EmbeddingSpec(looks=(LOOK, EmbeddingSpec().looks[1]), frames=6)
BOUNDS = Bounds()


@pytest.fixture(scope="module")
def videos(
    tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo
) -> tuple[Path, list[Video]]:
    raw = tmp_path_factory.mktemp("raw")
    make_video(raw / "a.mp4", rate=25, size="400x320", seed=1)
    make_video(raw / "b.avi", codec="mpeg4", rate=10, seconds=0.3, seed=2)
    return raw, [(name, check_video(raw / name, BOUNDS)) for name in ("a.mp4", "b.avi")]


def features(
    raw: Path, videos: list[Video], kept: Path, spec: EmbeddingSpec = SPEC
) -> dict[str, bytes]:
    cache, found = FeatureCache(kept, spec), {}
    for (path, info), wrong in embed(videos, raw, spec, cache, BOUNDS, 1):
        record = cache.get(info.hash)
        assert record is not None and wrong is None
        found[path] = record.tobytes()
    return found


@pytest.fixture(scope="module")
def kept(videos: tuple[Path, list[Video]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the features of both are kept."""
    deterministic()
    folder = tmp_path_factory.mktemp("kept")
    features(*videos, folder)
    return folder


@pytest.mark.slow
def test_two_videos_give_the_same_bits_twice_and_alone(
    videos: tuple[Path, list[Video]], kept: Path, tmp_path: Path
) -> None:
    raw, both = videos
    alone = features(raw, both[1:], tmp_path / "two")
    again = features(raw, both, tmp_path / "three")
    record, short = (FeatureCache(kept, SPEC).get(info.hash) for _, info in both)
    assert record is not None and short is not None
    assert again == {"a.mp4": record.tobytes(), "b.avi": short.tobytes()}
    assert alone == {"b.avi": short.tobytes()}
    assert record.dtype["motion/conv_pw_13_relu/local_differences"].shape == (1024,)
    assert record["whole/conv_pw_11_relu/mean"].shape == (1, 128)
    assert record["motion/block11_expand_relu/root_local_differences"].shape == (1, 4 * 672)
    assert record["whole/flow/statistics"].shape == (1, 79)
    assert all(record[name].any() for name in record.dtype.names or ())


@pytest.mark.slow
def test_the_backbone_scales_its_input_and_half_precision_is_close(shared: Path) -> None:
    deterministic()
    import keras

    weights = shared / "weights/mobilenet_2_5_224_tf_no_top.h5"
    full = keras.applications.MobileNet(
        (224, 224, 3), alpha=0.25, include_top=False, weights=str(weights)
    )
    smooth = np.linspace(0, 255, 224).astype(np.uint8)
    pictures = np.broadcast_to(smooth[:, None], (2, 224, 224, 3))
    own = backbone("mobilenet_025").predict_on_batch(pictures)
    expected = full.predict_on_batch(pictures / 127.5 - 1)
    difference = own["conv_pw_13_relu"] - expected
    assert np.sqrt((difference**2).mean()) < 0.1 * np.sqrt((expected**2).mean())
    assert own["conv_pw_11_relu"].shape == (2, 14, 14, 128)


def test_damaged_features_are_made_anew(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, SPEC)
    record = np.ones(1, [("whole/a/mean", np.float32, (3,))])
    cache.keep("abc", record)
    found = cache.get("abc")
    assert found is not None
    assert found.tobytes() == record.tobytes()
    whole = cache.path("abc").read_bytes()
    cache.path("abc").write_bytes(whole[:-40] + b"?" + whole[-39:])
    assert cache.get("abc") is None
    assert cache.get("unknown") is None


def test_another_spec_has_another_id(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [
        SPEC,
        replace(SPEC, frames=5),
        replace(SPEC, flow=False),
        replace(SPEC, looks=(LOOK,)),
        replace(SPEC, looks=(replace(LOOK, views=("whole",)),)),
        replace(SPEC, looks=(replace(LOOK, layers=("conv_pw_13_relu",)),)),
        replace(SPEC, rate=10.0),
    ]
    ids = {spec.id for spec in others}
    monkeypatch.setattr("reelflow.embeddings.spec.EMBEDDINGS_VERSION", 0)
    ids.add(SPEC.id)
    monkeypatch.setattr("reelflow.embeddings.spec.weights_id", lambda *given: "others")
    ids.add(SPEC.id)
    assert len(ids) == len(others) + 2
    assert weights_id("mobilenet_025") != weights_id("other")


def test_frames_are_evenly_apart_and_large_ones_scaled_down(
    videos: tuple[Path, list[Video]],
) -> None:
    (_, large), (_, small) = videos[1]
    assert (SPEC.clip_of(large).stride, SPEC.clip_of(small).stride) == (2, 1)
    assert SPEC.clip_of(large).shape == (6, 320, 400, 3)
    assert SPEC.clip_of(replace(large, width=1920, height=1080)).shape == (6, 448, 796, 3)
    assert SPEC.clip_of(small).shape == (6, 48, 64, 3)
    assert SPEC.clip_of(replace(large, width=32000)).width == 4 * 224


def test_a_frame_is_never_seen_twice(videos: tuple[Path, list[Video]]) -> None:
    raw, (_, short) = videos
    seen = read_views(raw, SPEC, BOUNDS, short)
    assert {view: pictures.shape for view, pictures in seen.views.items()} == {
        "whole": (3, 224, 224, 3),
        "motion": (3, 224, 224, 3),
    }


@pytest.mark.slow
def test_an_embedder_gives_the_same_of_the_blocks_that_are_wanted_and_loads_no_more(
    videos: tuple[Path, list[Video]], kept: Path
) -> None:
    raw, both = videos
    whole = FeatureCache(kept, SPEC).get(both[0][1].hash)
    assert whole is not None
    for blocks in ("whole/flow/statistics", "motion/block11_expand_relu/root_local_differences"):
        found = Embedder(SPEC, [blocks], BOUNDS).embed(raw / "a.mp4")
        assert found.dtype.names == (blocks,)
        assert found[blocks].tobytes() == whole[blocks].tobytes()


def test_a_spec_of_some_blocks_looks_at_what_they_need() -> None:
    assert SPEC.only([FLOW_BLOCK]) == replace(SPEC, looks=())
    some = SPEC.only(["whole/conv_pw_11_relu/mean", "motion/block11_expand_relu/x"])
    assert [(look.backbone, look.views) for look in some.looks] == [
        ("mobilenet_025", ("whole",)),
        ("efficientnet_lite0", ("motion",)),
    ]
    assert not some.flow
    assert SPEC.only([*some_blocks_of(SPEC), FLOW_BLOCK]) == SPEC


def some_blocks_of(spec: EmbeddingSpec) -> list[str]:
    return [f"{view}/{look.layers[0]}/mean" for look in spec.looks for view in look.views]


def test_a_video_that_has_changed_gives_no_features(
    videos: tuple[Path, list[Video]], tmp_path: Path
) -> None:
    raw, ((_, info), (other, _)) = videos
    shutil.copy(raw / other, tmp_path / "a.mp4")
    with pytest.raises(VideoError) as error:
        read_views(tmp_path, SPEC, BOUNDS, ("a.mp4", info))
    assert error.value.code == "changed"


def test_a_network_of_ones_own_is_named_in_params(
    videos: tuple[Path, list[Video]], tmp_path: Path
) -> None:
    import keras

    pictures = keras.Input((224, 224, 3))
    maps = keras.layers.Conv2D(5, 32, strides=32, name="mine")(pictures)
    keras.Model(pictures, maps).save(tmp_path / "mine.keras")
    spec = embedding_spec(EmbedParams(backbone=str(tmp_path / "mine.keras"), frames=4))
    assert spec.id != embedding_spec(EmbedParams(frames=4)).id
    raw, both = videos
    cache = FeatureCache(tmp_path / "kept", spec)
    [((_, info), wrong)] = embed(both[1:], raw, spec, cache, BOUNDS, 1)
    record = cache.get(info.hash)
    assert record is not None and wrong is None
    assert record["motion/mine/mean"].shape == (1, 5)
    assert spec.only(["motion/mine/mean"]).views == ("motion",)
