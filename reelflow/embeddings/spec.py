"""What the features of a clip are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from reelflow.backbones import LAYERS, LITE0, MOBILENET, weights_id
from reelflow.embeddings.flow_statistics import FLOW_BLOCK
from reelflow.store.clip_spec import ClipSpec
from reelflow.video.check_by_decoding import VideoInfo

# Raised when this room would give other numbers for the same spec, so that they are made anew.
EMBEDDINGS_VERSION = 2
# A picture that is longer than so many squares is shortened.
_LONGEST = 4
_LIBRARIES = ("tensorflow", "keras", "numpy", "scipy", "pillow", "opencv-python-headless")


@dataclass(frozen=True)
class Look:
    """One network, and what is taken from it.

    Attributes:
        backbone, layers, weights, download: see `reelflow.backbones.backbone`.
        views: functions of `reelflow.embeddings.views`.
        statistics: functions of `reelflow.embeddings.statistics`.
    """

    backbone: str = MOBILENET
    layers: tuple[str, ...] = LAYERS[MOBILENET]
    weights: str = ""
    download: bool = False
    views: tuple[str, ...] = ("whole", "motion")
    statistics: tuple[str, ...] = ("mean", "root_local_differences")


# The second network costs four times as much as the first, so that it looks once.
_LOOKS = (Look(), Look(LITE0, LAYERS[LITE0], "", False, ("motion",), ("root_local_differences",)))


@dataclass(frozen=True)
class EmbeddingSpec:
    """Attributes:
    looks: what is taken from which network.
    flow: whether `reelflow.embeddings.flow_statistics` adds its statistics.
    size: height and width in pixels of the pictures that the networks take.
    rate: frames a second, as nearly as a whole number of frames between two allows. Differences
        need neighbours in time.
    frames: at most so many, from the middle of the video.
    """

    looks: tuple[Look, ...] = _LOOKS
    flow: bool = True
    size: int = 224
    rate: float = 12.5
    frames: int = 32

    @staticmethod
    def from_dict(told: Mapping[str, Any]) -> EmbeddingSpec:
        """The spec of `to_dict`, or of what JSON made of it."""
        values = {name: told[name] for name in EmbeddingSpec.__dataclass_fields__}
        looks: Iterable[dict[str, Any]] = (
            {k: tuple(v) if isinstance(v, list) else v for k, v in look.items()}
            for look in told["looks"]
        )
        return EmbeddingSpec(**{**values, "looks": tuple(Look(**look) for look in looks)})

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it, with `id`."""
        told: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return {**told, "id": self.id}

    @property
    def views(self) -> tuple[str, ...]:
        """All views that some network looks at."""
        return tuple(dict.fromkeys(view for look in self.looks for view in look.views))

    def only(self, blocks: Collection[str]) -> EmbeddingSpec:
        """What makes the same features of these blocks, and as little else as can be."""
        needed = [block.split("/")[:2] for block in blocks]

        def views(look: Look) -> tuple[str, ...]:
            of_network = [view for view, layer in needed if not look.layers or layer in look.layers]
            return tuple(view for view in look.views if view in of_network)

        looks = (replace(look, views=views(look)) for look in self.looks)
        flow = self.flow and FLOW_BLOCK in blocks
        return replace(self, looks=tuple(look for look in looks if look.views), flow=flow)

    @property
    def id(self) -> str:
        """Hexadecimal digits that change whenever the features might."""
        made_by = {
            **asdict(self),
            "weights": [
                weights_id(look.backbone, Path(look.weights) if look.weights else None)
                for look in self.looks
            ],
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
