"""The `extract` section of `params.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reelflow.params import Section


class ExtractParams(Section):
    """Which frames are taken from a video, and at which size."""

    frames: int = Field(16, ge=1, le=512, description="frames taken from a video (T)")
    height: int = Field(64, ge=16, le=1024, description="height of a stored frame in pixels")
    width: int = Field(64, ge=16, le=1024, description="width of a stored frame in pixels")
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop", description="how a frame of another shape is made to fit"
    )
    scaler: Literal["area", "bilinear", "bicubic", "lanczos"] = Field(
        "area", description="ffmpeg's scaling filter"
    )
    workers: int = Field(0, ge=0, le=256, description="processes at once, 0 for one a core")
    timeout_s: float = Field(120.0, gt=0.0, le=86400.0, description="seconds a video may take")
    memory_mb: int = Field(1024, ge=128, le=65536, description="MiB an ffmpeg process may take")
