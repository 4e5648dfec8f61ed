"""What sections of settings have in common: their base, and the settings of stages that decode."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Base of every section: unknown keys are refused, values are not coerced, nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Workers = Annotated[int, Field(ge=0, le=256, description="videos at once, 0 for one a core")]
TimeoutS = Annotated[
    float,
    Field(
        gt=0.0,
        le=86400.0,
        description="seconds of CPU beside what bytes and frames account for, or of standing still",
    ),
]
MemoryMb = Annotated[int, Field(ge=128, le=65536, description="MiB an ffmpeg process may take")]
