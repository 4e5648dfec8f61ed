"""The `embed` section of `params.yaml`."""

from __future__ import annotations

from pydantic import Field

from reelflow.base.section import Section


class EmbedParams(Section):
    """How videos become embeddings, where the network reads some."""

    rate: float = Field(12.5, gt=0.0, le=240.0, description="frames a second")
    frames: int = Field(32, ge=1, le=512, description="most frames, from the middle of the video")
    workers: int = Field(0, ge=0, le=256, description="processes at once, 0 for one a core")
    timeout_s: float = Field(
        120.0,
        gt=0.0,
        le=86400.0,
        description="seconds of CPU beside what bytes and frames account for, or of standing still",
    )
    memory_mb: int = Field(1024, ge=128, le=65536, description="MiB an ffmpeg process may take")
