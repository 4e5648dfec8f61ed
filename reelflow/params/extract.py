"""The `extract` section of `params.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from reelflow.base.section import DecodingSection

# Each is a function of that name in `reelflow.extraction.samplers`. A new one is a line here.
Sampler = Literal["uniform", "segments", "fps", "dense", "keyframes"]


class ExtractParams(DecodingSection):
    """Which frames are taken from a video, and at which size."""

    frames: int = Field(16, ge=1, le=512)
    height: int = Field(64, ge=16, le=1024)
    width: int = Field(64, ge=16, le=1024)
    fit: Literal["crop", "pad", "stretch"] = "crop"
    scaler: Literal["area", "bilinear", "bicubic", "lanczos"] = "area"
    crops: Literal[1, 3] = 1
    sampler: Sampler = "uniform"
    per_segment: int = Field(3, ge=1, le=31)
    rate: float = Field(8.0, gt=0.0, le=1000.0)
    stride: int = Field(1, ge=1, le=1000)
    places: int = Field(1, ge=1, le=64)
    region: Literal["whole", "box", "motion"] = "whole"
    box: list[float] = Field([0.0, 0.0, 1.0, 1.0], min_length=4, max_length=4)
    window: float = Field(0.75, gt=0.0, le=1.0)
    engine: Literal["local", "dask"] = "local"

    @field_validator("crops")
    @classmethod
    def _something_sticks_out(cls, crops: int, found: ValidationInfo) -> int:
        if crops > 1 and found.data.get("fit") != "crop":
            raise ValueError("1, unless extract.fit is crop")
        return crops

    @field_validator("per_segment")
    @classmethod
    def _has_a_middle(cls, per_segment: int) -> int:
        if per_segment % 2 == 0:
            raise ValueError("an odd number, so that each segment has a middle frame")
        return per_segment

    @field_validator("places")
    @classmethod
    def _divides_the_frames(cls, places: int, found: ValidationInfo) -> int:
        frames = found.data.get("frames", places)
        if frames % places:
            raise ValueError(f"a divisor of extract.frames, which is {frames}")
        return places

    @field_validator("box")
    @classmethod
    def _lies_inside(cls, box: list[float]) -> list[float]:
        left, top, width, height = box
        inside = min(left, top) >= 0 and left + width <= 1 and top + height <= 1
        if not inside or min(width, height) <= 0:
            raise ValueError("left, top, width, height within the picture, each from 0 to 1")
        return box
