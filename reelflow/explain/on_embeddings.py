"""Heads on embeddings: `transfer`. A video goes through frozen networks, then a linear layer.

A changed video is embedded by the same function as any other. Of the frozen networks only those
pictures are computed that changed, and of flow those pairs: what the video gives as it is is kept.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reelflow.embeddings.embed import Seen, features_of, maps_of, networks_of, read_frames
from reelflow.embeddings.flow_statistics import per_second, summary, velocities
from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.embeddings.views import box_of, cut
from reelflow.explain.contributions import PLACED, contributions
from reelflow.explain.explainable_model import (
    BELOW,
    Changed,
    Floats,
    Frames,
    Look,
    Shape3,
    Subject,
    enlarged,
    tensor_log_odds,
)
from reelflow.explain.filters import first_filters
from reelflow.explain.random_weights import drawn_anew
from reelflow.store.shards import Records
from reelflow.training.predict_clip import predict_clip
from reelflow.training.temperature import tempered
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds

if TYPE_CHECKING:
    import keras

# Pictures in a pass of the backbone, where only some are computed.
_BATCH = 8


@dataclass
class OnEmbeddings:
    """A head that reads blocks of an embedding.

    The window of a view stays where it is in the video as it was, whatever is blanked.

    Attributes:
        model: from features (B, D) to probabilities (B, K).
        labels: in its order.
        blocks: `view/layer/statistic`, side by side what the head reads.
        spec: of the embedding; what the head does not read is left out.
        bounds: limits of a decoder.
        temperature: of its answers.
        grid, own: as `Subject` has them.
    """

    model: keras.Model
    labels: list[str]
    blocks: Sequence[str]
    spec: EmbeddingSpec
    bounds: Bounds
    temperature: float = 1.0
    grid: Shape3 = (4, 4, 4)
    own: str = ""

    def __post_init__(self) -> None:
        if any(block.split("/")[-1] in PLACED for block in self.blocks):
            self.own = "contributions"
        self.spec = self.spec.only(self.blocks)
        self._eye = _Eye(networks_of(self.spec), self.spec, self.blocks)

    def look(self, path: Path) -> Look:
        """The frames from which views are cut, and the windows of the views that are read."""
        info = check_video(path, self.bounds)
        clip = read_frames(path.parent, self.spec, self.bounds, (path.name, info))
        parts = {view: box_of(view, clip.frames) for view in self.spec.views}
        return Look(clip.frames, clip.timestamps, info, parts)

    def probabilities(self, look: Look, changed: Iterable[Changed]) -> Floats:
        """Each as the registered model answers: one embedding a pass of the head."""
        found = (predict_clip(self.model, one) for one in self._eye.embedded(look, changed))
        return np.stack([tempered(row, self.temperature) for row in found])

    def features(self, look: Look) -> Floats:
        """The blocks of the embedding side by side."""
        return self._eye.vector(self._eye.base(look).record)

    def filters(self) -> list[Frames]:
        """Of the frozen networks."""
        found = [first_filters(one) for one in self._eye.backbones]
        return [one for one in found if one is not None]

    def own_map(self, look: Look, target: int) -> Floats:
        """What the motion and the looks of each place add, a pixel; see `contributions`."""
        found = np.zeros(look.frames.shape[:3], np.float32)
        base = self._eye.base(look)
        slopes = self._slopes(base, target)
        for one, network in zip(self.spec.looks, base.networks, strict=True):
            for view in one.views:
                left, top, right, bottom = look.parts[view]
                shape = (len(look.frames), bottom - top, right - left)
                for layer, maps in maps_of(network, base.views[view]).items():
                    part = contributions(f"{view}/{layer}", maps, slopes)
                    if part is not None:
                        a_pixel = part.shape[1] * part.shape[2] / (shape[1] * shape[2])
                        found[:, top:bottom, left:right] += enlarged(part, shape) * a_pixel
        return found

    def randomised(self, seed: int) -> Iterator[tuple[str, Subject]]:
        """The frozen networks alone, which learned elsewhere; then the head, then all. The head
        alone where it reads flow alone, which nobody learned."""
        head = drawn_anew(self.model, _with_weights(self.model), seed)
        if not self._eye.backbones:
            yield "the head", self._with(head, self._eye)
            return
        below = [drawn_anew(one, _with_weights(one), seed) for one in self._eye.backbones]
        other = _Eye(below, self.spec, self.blocks)
        yield BELOW, self._with(self.model, other)
        yield "the head", self._with(head, self._eye)
        yield "the head and the network below it", self._with(head, other)

    def _with(self, head: keras.Model, eye: _Eye) -> OnEmbeddings:
        """The same with another head, and through other eyes, which may have seen the video."""
        found = copy.copy(self)
        found.model, found._eye = head, eye
        return found

    def _slopes(self, base: _Base, target: int) -> dict[str, Floats]:
        """By block, the slope of the log odds along each of its features."""
        import tensorflow as tf

        given = tf.constant(self._eye.vector(base.record)[np.newaxis])
        with tf.GradientTape() as tape:
            tape.watch(given)
            odds = tensor_log_odds(self.model(given)[0], target, self.temperature)
        slopes = tape.gradient(odds, given)[0].numpy()
        ends = np.cumsum([base.record[block].shape[1] for block in self.blocks])
        return dict(zip(self.blocks, np.split(slopes, ends[:-1]), strict=True))


class _Eye:
    """Frozen networks that look at a video. What they saw of the last one is kept: another head
    reads the same.

    Args:
        backbones: of the spec, in its order.
        spec: of the embedding.
        blocks: of it, side by side what a head reads.
    """

    def __init__(
        self, backbones: Sequence[keras.Model], spec: EmbeddingSpec, blocks: Sequence[str]
    ) -> None:
        self.backbones, self._spec, self._blocks = backbones, spec, blocks
        self._kept: _Base | None = None
        self._seen: dict[tuple[int, bytes], Floats] = {}

    def embedded(self, look: Look, changed: Iterable[Changed]) -> Iterator[Floats]:
        """The features of the video with each of these changes."""
        base = self.base(look)
        for start, frames in changed:
            name = start, hashlib.blake2b(frames.tobytes(), digest_size=16).digest()
            if name not in self._seen:
                self._seen[name] = self._changed(base, start, frames)
            yield self._seen[name]

    def _changed(self, base: _Base, start: int, frames: Frames) -> Floats:
        look, end = base.look, start + len(frames)
        views = {view: pictures.copy() for view, pictures in base.views.items()}
        for view, pictures in views.items():
            pictures[start:end] = cut(frames, look.parts[view], self._spec.size)
        flow = None
        if base.moves is not None:
            # Of each changed frame the way to it and on from it.
            first, last = max(start - 1, 0), min(end, len(look.frames) - 1)
            near = [look.frames[first:start], frames, look.frames[end : last + 1]]
            moves = base.moves.copy()
            moves[first:last] = velocities(np.concatenate(near))
            flow = summary(per_second(moves, look.times))
        return self.vector(features_of(Seen(views, flow), base.networks, self._spec))

    def vector(self, record: Records) -> Floats:
        """The blocks side by side."""
        return np.concatenate([record[block][0] for block in self._blocks])

    def base(self, look: Look) -> _Base:
        """The video as it is, embedded once."""
        if self._kept is None or self._kept.look is not look:
            networks = [Remembering(one) for one in self.backbones]
            views = {
                view: cut(look.frames, look.parts[view], self._spec.size) for view in look.parts
            }
            moves = velocities(look.frames) if self._spec.flow else None
            flow = None if moves is None else summary(per_second(moves, look.times))
            record = features_of(Seen(views, flow), networks, self._spec)
            for network in networks:
                network.learns = False
            self._kept = _Base(look, views, networks, moves, record)
            self._seen = {}
        return self._kept


@dataclass(frozen=True)
class _Base:
    """A video as it is: its views, networks that know their maps, how its cells move from frame to
    frame if flow is read, and its embedding."""

    look: Look
    views: dict[str, Frames]
    networks: Sequence[Any]
    moves: NDArray[np.float64] | None
    record: Records


def _with_weights(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers if layer.weights]


class Remembering:
    """A backbone that computes the same picture once. While it `learns`, it keeps the maps of all
    pictures, 0.2 MB each; from then on it computes those that it does not know."""

    def __init__(self, model: keras.Model) -> None:
        self.learns = True
        self._model = model
        self._known: dict[bytes, dict[str, Floats]] = {}

    def predict_on_batch(self, pictures: Frames) -> dict[str, Floats]:
        """As the backbone does: its maps by layer, (B, h, w, C)."""
        names = [hashlib.blake2b(one.tobytes(), digest_size=16).digest() for one in pictures]
        fresh = {name: at for at, name in enumerate(names) if name not in self._known}
        made = dict(zip(fresh, self._computed(pictures[list(fresh.values())]), strict=True))
        if self.learns:
            self._known |= made
        found = [self._known.get(name) or made[name] for name in names]
        return {layer: np.stack([maps[layer] for maps in found]) for layer in found[0]}

    def _computed(self, pictures: Frames) -> Iterator[dict[str, Floats]]:
        for start in range(0, len(pictures), _BATCH):
            batch = pictures[start : start + _BATCH]
            missing = [(0, _BATCH - len(batch))] + [(0, 0)] * 3
            maps = self._model.predict_on_batch(np.pad(batch, missing, mode="edge"))
            yield from ({layer: maps[layer][at] for layer in maps} for at in range(len(batch)))
