"""What sections of settings have in common: their base, and the settings of stages that decode."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Base of every section: unknown keys are refused, values are not coerced, nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DecodingSection(Section):
    """Base of the section of a stage that decodes videos."""

    workers: int = Field(0, ge=0, le=256)
    timeout_s: float = Field(120.0, gt=0.0, le=86400.0)
    memory_mb: int = Field(1024, ge=128, le=65536)
