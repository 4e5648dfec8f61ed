"""Networks on frames: `cnn`, `cnn_rnn`, `r2plus1d`, and any other that a clip goes into."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reelflow.explain.explainable_model import (
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
from reelflow.extraction.read_clips import read_clip
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.crops_and_segments import shown
from reelflow.training.familiarity import features_of
from reelflow.training.temperature import tempered
from reelflow.video.check_by_decoding import check_video
from reelflow.video.process_limits import Bounds

if TYPE_CHECKING:
    import keras

# Clips in a pass: 16 of 16 frames of 64x64 take some 200 MB in `r2plus1d`.
_BATCH = 16
# The map is read of the last layer with at least so many rows: a map of 4x4 shows little.
_ROWS = 4


@dataclass
class OnFrames:
    """A network that reads the frames of a clip.

    Where a clip is seen in several crops, the middle one is explained.

    Attributes:
        model: from uint8 clips (B, T, H, W, 3) to probabilities (B, K).
        labels: in its order.
        spec: of its clips.
        bounds: limits of a decoder.
        temperature: of its answers.
        grid, own: as `Subject` has them.
    """

    model: keras.Model
    labels: list[str]
    spec: ClipSpec
    bounds: Bounds
    temperature: float = 1.0
    grid: Shape3 = (8, 8, 8)
    own: str = "grad_cam"

    def look(self, path: Path) -> Look:
        """The middle crop of the clip."""
        info = check_video(path, self.bounds)
        middle = shown(read_clip(path, self.spec, self.bounds, info=info), self.spec)
        return Look(middle.frames, middle.timestamps, info, {})

    def probabilities(self, look: Look, changed: Iterable[Changed]) -> Floats:
        """All passes have the same number of clips, so that the network is traced once."""
        found, todo = [], iter(changed)
        while part := list(islice(todo, _BATCH)):
            batch = np.repeat(look.frames[np.newaxis], _BATCH, axis=0)
            for clip, (start, frames) in zip(batch, part, strict=False):
                clip[start : start + len(frames)] = frames
            found.append(self.model.predict_on_batch(batch)[: len(part)])
        return np.stack([tempered(row, self.temperature) for row in np.concatenate(found)])

    def filters(self) -> list[Frames]:
        """Of its first convolution."""
        found = first_filters(self.model)
        return [] if found is None else [found]

    def own_map(self, look: Look, target: int) -> Floats:
        """Grad-CAM (Selvaraju et al., ICCV 2017) of the log odds, signed, at the last layers that
        still are maps; in time, too, where they have time.

        The gradient is taken place by place, not averaged first: HiResCAM (Draelos and Carin,
        2020), which is the same before a global mean and shows what was computed elsewhere.
        """
        import tensorflow as tf

        with tf.GradientTape() as tape:
            *maps, answer = self._with_maps(look.frames[np.newaxis])
            odds = tensor_log_odds(answer[0], target, self.temperature)
        found = np.zeros(look.frames.shape[:3], np.float32)
        for map_, slope in zip(maps, tape.gradient(odds, maps), strict=True):
            part = tf.reduce_sum(map_ * slope, axis=-1).numpy()
            # (1, t, h, w) of 3-D convolutions, (T, h, w) where frames are the batch.
            part = part[0] if part.ndim == 4 else part
            found += enlarged(part, look.frames.shape[:3]) * (part.size / found.size)
        return found

    def features(self, look: Look) -> Floats:
        """The mean over frames where each frame has its own."""
        return features_of(self.model)(look.frames[np.newaxis])

    @cached_property
    def _with_maps(self) -> keras.Model:
        """The network, with its last maps over the picture beside its answer."""
        import keras

        maps = [layer for layer in self.model.layers if _rows(layer) >= _ROWS]
        last = [layer for layer in maps if not any(_rows(n) >= _ROWS for n in _readers(layer))]
        outputs = [*(layer.output for layer in last), self.model.outputs[0]]
        return keras.Model(self.model.inputs[0], outputs)

    def randomised(self, seed: int) -> Iterator[tuple[str, Subject]]:
        """The last layer, half of them, all of them."""
        layers = [layer.name for layer in self.model.layers if layer.trainable_weights][::-1]
        for count in sorted({1, math.ceil(len(layers) / 2), len(layers)}):
            model = drawn_anew(self.model, layers[:count], seed)
            yield _said(count, len(layers)), replace(self, model=model)


def _said(count: int, of: int) -> str:
    if count == 1:
        return "the last layer"
    return "all layers" if count == of else f"the last {count} of {of} layers"


def _rows(layer: keras.layers.Layer) -> int:
    shape: tuple[int | None, ...] = tuple(getattr(layer.output, "shape", ()))
    return int(shape[-3] or 0) if len(shape) in (4, 5) else 0


def _readers(layer: keras.layers.Layer) -> list[Any]:
    """The layers that read the output of this one."""
    return [node.operation for node in layer._outbound_nodes]
