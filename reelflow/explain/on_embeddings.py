"""Heads on embeddings: `transfer`. A video goes through a frozen network, then a linear layer.

A changed video is embedded by the same function as any other. Of the frozen network only those
pictures are computed that changed: the maps of the video as it is are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reelflow.embeddings.embed import features_of, maps_of, network_of, read_frames
from reelflow.embeddings.spec import EmbeddingSpec
from reelflow.embeddings.views import box_of, cut
from reelflow.explain.contributions import PLACED, contributions
from reelflow.explain.gradients import tensor_log_odds
from reelflow.explain.subject import BELOW, Changed, Floats, Frames, Look, Shape3, Subject, enlarged
from reelflow.explain.weights import drawn_anew
from reelflow.store.shards import Records
from reelflow.training.calibration import tempered
from reelflow.training.predict_clip import predict_clip
from reelflow.video.check import check_video
from reelflow.video.process_limits import Bounds

if TYPE_CHECKING:
    import keras

# Pictures in a pass of the backbone, where only some are computed.
_BATCH = 8


class OnEmbeddings:
    """A head that reads blocks of an embedding.

    The window of a view stays where it is in the video as it was, whatever is blanked.

    Args:
        model: from features (B, D) to probabilities (B, K).
        labels: in its order.
        blocks: `view/layer/statistic`, side by side what the head reads.
        spec: of the embedding.
        bounds: limits of a decoder.
        temperature: of its answers.
        backbone: in place of that of the spec.
    """

    grid: Shape3 = (4, 4, 4)

    def __init__(
        self,
        model: keras.Model,
        labels: list[str],
        blocks: Sequence[str],
        spec: EmbeddingSpec,
        bounds: Bounds,
        temperature: float = 1.0,
        backbone: keras.Model | None = None,
    ) -> None:
        self.labels = labels
        self.own = "contributions" if any(_statistic(block) in PLACED for block in blocks) else ""
        # Views that the head does not read cost as much as those that it does.
        read = {_view(block) for block in blocks}
        spec = replace(spec, views=tuple(view for view in spec.views if view in read))
        self._model, self._blocks, self._spec, self._bounds = model, blocks, spec, bounds
        self._temperature = temperature
        self._backbone = backbone or network_of(spec)
        self._kept: _Base | None = None

    def look(self, path: Path) -> Look:
        """The frames from which views are cut, and the windows of the views that are read."""
        info = check_video(path, self._bounds)
        clip = read_frames(path.parent, self._spec, self._bounds, (path.name, info))
        if isinstance(clip, Exception):
            raise clip
        parts = {view: box_of(view, clip.frames) for view in self._spec.views}
        return Look(clip.frames, clip.timestamps, info, parts)

    def probabilities(self, look: Look, changed: Iterable[Changed]) -> Floats:
        """Each as the registered model answers: one embedding a pass of the head."""
        found = (predict_clip(self._model, one) for one in self._embedded(look, changed))
        return np.stack([tempered(row, self._temperature) for row in found])

    def features(self, look: Look) -> Floats:
        """The blocks of the embedding side by side."""
        return self._vector(self._base(look).record)

    def own_map(self, look: Look, target: int) -> Floats:
        """What the motion and the looks of each place add, a pixel; see `contributions`."""
        found = np.zeros(look.frames.shape[:3], np.float32)
        base = self._base(look)
        slopes = self._slopes(base, target)
        for (view, box), pictures in zip(look.parts.items(), base.views, strict=True):
            left, top, right, bottom = box
            shape = (len(pictures), bottom - top, right - left)
            for layer, maps in maps_of(base.network, pictures, self._spec.frames).items():
                part = contributions(f"{view}/{layer}", maps, slopes)
                if part is not None:
                    a_pixel = part.shape[1] * part.shape[2] / (shape[1] * shape[2])
                    found[:, top:bottom, left:right] += enlarged(part, shape) * a_pixel
        return found

    def randomised(self, seed: int) -> Iterator[tuple[str, Subject]]:
        """The frozen network alone, which learned elsewhere; then the head, then both."""
        heads = [layer.name for layer in self._model.layers if layer.weights]
        layers = [layer.name for layer in self._backbone.layers if layer.weights]
        head, backbone = (
            drawn_anew(model, names, seed)
            for model, names in ((self._model, heads), (self._backbone, layers))
        )
        yield BELOW, self._with(self._model, backbone)
        yield "the head", self._with(head, self._backbone)
        yield "the head and the network below it", self._with(head, backbone)

    def _with(self, head: keras.Model, backbone: keras.Model) -> OnEmbeddings:
        return OnEmbeddings(
            head,
            self.labels,
            self._blocks,
            self._spec,
            self._bounds,
            self._temperature,
            backbone,
        )

    def _slopes(self, base: _Base, target: int) -> dict[str, Floats]:
        """By block, the slope of the log odds along each of its features."""
        import tensorflow as tf

        given = tf.constant(self._vector(base.record)[np.newaxis])
        with tf.GradientTape() as tape:
            tape.watch(given)
            odds = tensor_log_odds(self._model(given)[0], target, self._temperature)
        slopes = tape.gradient(odds, given)[0].numpy()
        ends = np.cumsum([base.record[block].shape[1] for block in self._blocks])
        return dict(zip(self._blocks, np.split(slopes, ends[:-1]), strict=True))

    def _embedded(self, look: Look, changed: Iterable[Changed]) -> Iterator[Floats]:
        """The features of the video with each of these changes."""
        base = self._base(look)
        for start, frames in changed:
            views = [view.copy() for view in base.views]
            for view, box in zip(views, look.parts.values(), strict=True):
                view[start : start + len(frames)] = cut(frames, box, self._spec.size)
            yield self._vector(features_of(views, base.network, self._spec))

    def _vector(self, record: Records) -> Floats:
        return np.concatenate([record[block][0] for block in self._blocks])

    def _base(self, look: Look) -> _Base:
        """The video as it is, embedded once."""
        if self._kept is None or self._kept.look is not look:
            network = Remembering(self._backbone)
            views = [cut(look.frames, box, self._spec.size) for box in look.parts.values()]
            record = features_of(views, network, self._spec)
            network.learns = False
            self._kept = _Base(look, views, network, record)
        return self._kept


@dataclass(frozen=True)
class _Base:
    """A video as it is: its views, a backbone that knows their maps, and its embedding."""

    look: Look
    views: list[Frames]
    network: Any
    record: Records


def _view(block: str) -> str:
    return block.split("/")[0]


def _statistic(block: str) -> str:
    return block.split("/")[-1]


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
