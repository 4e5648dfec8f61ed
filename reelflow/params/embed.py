"""The `embed` section of `params.yaml`."""

from __future__ import annotations

from pydantic import Field

from reelflow.base.section import DecodingSection


class EmbedParams(DecodingSection):
    """How videos become embeddings, where the network reads some."""

    rate: float = Field(12.5, gt=0.0, le=240.0)
    frames: int = Field(32, ge=1, le=512)
    backbone: str = ""
    weights: str = ""
    download: bool = False
