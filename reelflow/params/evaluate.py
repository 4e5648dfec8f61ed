"""The `evaluate` section of `params.yaml`."""

from __future__ import annotations

from pydantic import Field

from reelflow.base.section import Section


class EvaluateParams(Section):
    """How the model is measured on test videos."""

    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of the bootstrap")
    bootstrap: int = Field(1000, ge=100, le=100_000, description="resamplings for the intervals")
    confidence: float = Field(0.95, gt=0.5, lt=1.0, description="confidence of the intervals")
    min_videos: int = Field(
        10, ge=1, description="test videos under which nothing is said of how good a model is"
    )
    min_groups: int = Field(
        5, ge=2, description="groups of the test under which nothing is said of it"
    )
    top_k: int = Field(2, ge=1, le=100, description="k of the top-k accuracy")
    examples: int = Field(4, ge=0, le=50, description="best and worst videos shown in the report")
