"""Explaining a head on embeddings: the same answers as the registered model, and cheap changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reelflow.embeddings.embed import Embedder, networks_of
from reelflow.embeddings.flow_statistics import FLOW_BLOCK, flow_statistics
from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.explain.explainable_model import BELOW, Look
from reelflow.explain.occlusion import occlusion_map
from reelflow.explain.on_embeddings import OnEmbeddings, Remembering
from reelflow.networks import build
from reelflow.training.predict_clip import predict_clip
from reelflow.video.process_limits import Bounds
from tests.conftest import MakeVideo

BLOCKS = [
    "motion/conv_pw_11_relu/root_local_differences",
    "whole/conv_pw_13_relu/mean",
    FLOW_BLOCK,
]
SPEC = EmbeddingSpec(frames=8)


@pytest.fixture(scope="module")
def video(make_video: MakeVideo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("video") / "a.mp4", size="96x64")


@pytest.fixture(scope="module")
def subject() -> OnEmbeddings:
    head = build("transfer", (4 * 128 + 256 + 79,), 2, [0.0], [1.0])
    random = np.random.default_rng(0)
    head.set_weights([random.normal(0, 0.1, w.shape) for w in head.get_weights()])
    return OnEmbeddings(head, ["a", "b"], BLOCKS, SPEC, Bounds())


@pytest.fixture(scope="module")
def look(subject: OnEmbeddings, video: Path) -> Look:
    return subject.look(video)


def test_the_answer_is_that_of_the_registered_model(
    subject: OnEmbeddings, look: Look, video: Path
) -> None:
    record = Embedder(SPEC, BLOCKS, Bounds()).embed(video)
    features = np.concatenate([record[block][0] for block in BLOCKS])
    np.testing.assert_allclose(subject.features(look), features, rtol=1e-3, atol=1e-4)
    found = subject.probabilities(look, [(0, look.frames[:1])])[0]
    np.testing.assert_allclose(found, predict_clip(subject.model, features), atol=1e-3)


def test_occlusion_computes_the_pictures_that_changed_alone(
    subject: OnEmbeddings, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = []
    real = Remembering._computed

    def counted(self, pictures):
        computed.append(len(pictures))
        return real(self, pictures)

    monkeypatch.setattr(Remembering, "_computed", counted)
    found = occlusion_map(subject, look, 0)
    assert found.shape == (4, 4, 4) and found.std() > 0
    # Two of eight frames a cell and view; all anew would be four times as many.
    assert sum(computed) <= 64 * 2 * 2 + 8 * 2


@pytest.mark.parametrize(("start", "end"), [(0, 2), (3, 5), (6, 8), (0, 8)])
def test_flow_of_a_changed_video_is_that_of_the_whole_of_it(
    subject: OnEmbeddings, look: Look, start: int, end: int
) -> None:
    frames = look.frames.copy()
    frames[start:end] = frames[start:end, ::-1]
    (found,) = subject._eye.embedded(look, [(start, frames[start:end])])
    assert (found[-79:] == flow_statistics(frames, look.times)).all()


def test_a_head_on_flow_alone_needs_no_network(video: Path) -> None:
    head = build("transfer", (79,), 2, [0.0], [1.0])
    flow = OnEmbeddings(head, ["a", "b"], [FLOW_BLOCK], SPEC, Bounds())
    look = flow.look(video)
    assert (flow.own, look.parts) == ("", {})
    assert (flow.features(look) == flow_statistics(look.frames, look.times)).all()
    assert [said for said, _ in flow.randomised(0)] == ["the head"]


def test_contributions_lie_in_the_windows_of_the_views(subject: OnEmbeddings, look: Look) -> None:
    found = subject.own_map(look, 0)
    assert found.shape == look.frames.shape[:3] and np.isfinite(found).all() and found.std() > 0
    left, top, right, bottom = look.parts["motion"]
    assert right - left == bottom - top == 48


def test_what_was_learned_here_goes_before_what_was_learned_elsewhere(
    subject: OnEmbeddings, look: Look
) -> None:
    stages = list(subject.randomised(0))
    assert [said for said, _ in stages] == [BELOW, "the head", "the head and the network below it"]
    same = stages[1][1].features(look)
    np.testing.assert_allclose(same, subject.features(look), rtol=1e-3, atol=1e-4)
    other = stages[2][1].features(look)
    assert np.isfinite(other).all() and not np.allclose(other, same, rtol=0.1)


def test_a_remembering_backbone_gives_what_the_backbone_gives() -> None:
    model = networks_of(SPEC.only(BLOCKS))[0]
    pictures = np.random.default_rng(0).integers(0, 256, (8, 224, 224, 3)).astype(np.uint8)
    remembering = Remembering(model)
    remembering.predict_on_batch(pictures)
    remembering.learns = False
    changed = pictures.copy()
    changed[3] = 0
    expected = model.predict_on_batch(changed)
    for layer, maps in remembering.predict_on_batch(changed).items():
        np.testing.assert_allclose(maps, expected[layer], atol=1e-4)


def test_another_head_reads_what_the_same_eyes_saw_already(
    subject: OnEmbeddings, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = [(start, look.frames[start : start + 1, ::-1]) for start in (2, 5)]
    subject.probabilities(look, changed)
    below, head, both = (stage for _, stage in subject.randomised(0))
    found = [below.probabilities(look, changed)]

    def never(self, pictures):
        raise AssertionError(f"{len(pictures)} pictures are computed again")

    monkeypatch.setattr(Remembering, "_computed", never)
    found += [head.probabilities(look, changed), both.probabilities(look, changed)]
    assert len({one.tobytes() for one in found}) == 3
    assert both.filters()[0].shape == (8, 3, 3, 3)
    assert (both.filters()[0] != subject.filters()[0]).any()
