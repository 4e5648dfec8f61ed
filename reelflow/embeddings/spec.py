"""What the features of a clip are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reelflow.backbones import MOBILENET, weights_id
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check import VideoInfo

# Raised when this room would give other numbers for the same spec, so that they are made anew.
EMBEDDINGS_VERSION = 1
# A picture that is longer than so many squares is shortened.
_LONGEST = 4
_LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "pillow")


@dataclass(frozen=True)
class EmbeddingSpec:
    """Attributes:
    backbone, layers, weights, download: see `reelflow.backbones.backbone`.
    size: height and width in pixels of the pictures that the backbone takes.
    views: functions of `reelflow.embeddings.views`.
    statistics: functions of `reelflow.embeddings.statistics`.
    rate: frames a second, as nearly as a whole number of frames between two allows. Differences
        need neighbours in time.
    frames: at most so many, from the middle of the video.
    """

    backbone: str = MOBILENET
    layers: tuple[str, ...] = ()
    weights: str = ""
    download: bool = False
    size: int = 224
    views: tuple[str, ...] = ("whole", "motion")
    statistics: tuple[str, ...] = ("mean", "root_local_differences")
    rate: float = 12.5
    frames: int = 32

    @staticmethod
    def from_dict(told: Mapping[str, Any]) -> EmbeddingSpec:
        """The spec of `to_dict`, or of what JSON made of it."""
        names = EmbeddingSpec.__dataclass_fields__
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in told.items()
            if name in names
        }
        return EmbeddingSpec(**values)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it, with `id`."""
        lists = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return {**lists, "id": self.id}

    @property
    def id(self) -> str:
        """Hexadecimal digits that change whenever the features might."""
        weights = Path(self.weights) if self.weights else None
        made_by = {
            **asdict(self),
            "weights": weights_id(self.backbone, weights),
            "version": EMBEDDINGS_VERSION,
            # Decoders, and what decodes.
            "clip": self._clip(self.size, self.size).id,
            "libraries": [f"{name} {version(name)}" for name in _LIBRARIES],
        }
        text = json.dumps(made_by, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def clip_of(self, info: VideoInfo) -> ClipSpec:
        """The frames of a video from which all views are cut.

        Their shorter side is at most twice what the backbone takes, so 32 frames of a large video
        need 35 MB in place of 200. Crops from smaller ones score about 0.01 lower.
        """
        scale = min(1.0, 2 * self.size / min(info.width, info.height))
        height, width = (
            max(1, min(round(side * scale), _LONGEST * self.size))
            for side in (info.height, info.width)
        )
        # Evenly apart: of 30 frames a second, 12.5 would be now the second next, now the third, and
        # that difference would count as motion (0.02 of the accuracy on real videos).
        return self._clip(height, width, max(1, round(info.fps / self.rate)))

    def _clip(self, height: int, width: int, stride: int = 1) -> ClipSpec:
        return ClipSpec(self.frames, height, width, fit="stretch", sampler="dense", stride=stride)
