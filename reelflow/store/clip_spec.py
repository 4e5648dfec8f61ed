"""What a clip is: T frames of one size, taken from a video at known times.

More may be stored than a network sees at once: several frames of each segment, of which training
draws one, and several crops of the picture (`reelflow.store.crops_and_segments`).

`ClipSpec` is written beside the frames, travels with the model, and is what `predict` uses, so
that a model always sees frames made exactly as those it was trained on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelflow.base.decoder_versions import decoders

# Raise it when the same spec gives other bytes, so that stored frames are made anew.
DECODER_VERSION = 2
# Fields that one sampler or one region alone uses.
_USED_BY = {
    "per_segment": "segments",
    "rate": "fps",
    "stride": "dense",
    "places": "dense",
    "box": "box",
    "window": "motion",
}


@dataclass(frozen=True)
class ClipSpec:
    """How a clip is made from a video. All fields are plain values, so that it is JSON.

    A field that the sampler or the region does not use always has its default, so that a change of
    it makes no other clip.

    Attributes:
        frames: T, the number of frames that a network sees.
        height: H in pixels.
        width: W in pixels.
        fit: `crop`, `pad` or `stretch`.
        scaler: ffmpeg's scaling filter, `area`, `bilinear`, `bicubic` or `lanczos`.
        crops: parts of the picture that are kept where `fit` is `crop`: 1, the centre, or 3, the
            centre and the two ends of what sticks out.
        sampler: which frames, a function of `reelflow.extraction.samplers`.
        per_segment: frames kept of each of the T segments, for `segments`; odd.
        rate: frames a second, for `fps`.
        stride: frames from one to the next, for `dense`.
        places: runs of frames, for `dense`; T is a multiple of it.
        region: which part of the picture: `whole`, `box`, or `motion`, a square on what moves most.
        box: left, top, width and height of `box`, as shares (0 to 1) of the picture as shown.
        window: side of the square of `motion`, as a share of the picture's shorter side.
    """

    frames: int
    height: int
    width: int
    fit: str = "crop"
    scaler: str = "area"
    crops: int = 1
    sampler: str = "uniform"
    per_segment: int = 3
    rate: float = 8.0
    stride: int = 1
    places: int = 1
    region: str = "whole"
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    window: float = 0.75

    def __post_init__(self) -> None:
        # JSON knows no tuples.
        object.__setattr__(self, "box", tuple(self.box))
        for field in fields(self):
            if _USED_BY.get(field.name, self.sampler) not in (self.sampler, self.region):
                object.__setattr__(self, field.name, field.default)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, H, W, 3), what a network sees."""
        return (self.frames, self.height, self.width, 3)

    @property
    def choices(self) -> int:
        """M, the frames kept for each that a network sees."""
        return self.per_segment if self.sampler == "segments" else 1

    @property
    def times(self) -> int:
        """T x M, the moments of a video of which frames are kept."""
        return self.frames * self.choices

    @property
    def stored_shape(self) -> tuple[int, int, int, int]:
        """(V x T x M, H, W, 3), what is kept of a video: of each of V crops M frames a segment."""
        return (self.crops * self.times, self.height, self.width, 3)

    @property
    def seen(self) -> ClipSpec:
        """The clip that is not drawn at random: the middle frame of each segment, every crop."""
        # The middle of an odd number of frames of a segment is the one `uniform` takes.
        return replace(self, sampler="uniform") if self.sampler == "segments" else self

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that change whenever the bytes of the frames might: as the spec,
        this package, or what decodes here does."""
        made_by = {"decoder": DECODER_VERSION, "decoders": decoders()}
        text = json.dumps({**asdict(self), **made_by}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON gives them back; `ClipSpec(**spec.to_dict()) == spec`."""
        return {**asdict(self), "box": list(self.box)}


@dataclass(frozen=True)
class Clip:
    """Frames of one video.

    Attributes:
        frames: uint8 RGB, of the spec's `stored_shape`: crop by crop, each in the order of time.
        timestamps: float64, (T x M,), seconds from the start of the file's own clock, as shown.
    """

    frames: NDArray[np.uint8]
    timestamps: NDArray[np.float64]
