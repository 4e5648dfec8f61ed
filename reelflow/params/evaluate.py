"""The `evaluate` section of `params.yaml`."""

from __future__ import annotations

from pydantic import Field

from reelflow.base.section import Section


class EvaluateParams(Section):
    """How the model is measured on test videos."""

    seed: int = Field(0, ge=0, le=2**31 - 1)
    bootstrap: int = Field(1000, ge=100, le=100_000)
    confidence: float = Field(0.95, gt=0.5, lt=1.0)
    min_videos: int = Field(10, ge=1)
    min_groups: int = Field(5, ge=2)
    top_k: int = Field(2, ge=1, le=100)
    examples: int = Field(4, ge=0, le=50)
