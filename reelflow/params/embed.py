"""The `embed` section of `params.yaml`."""

from __future__ import annotations

from pydantic import Field

from reelflow.base.section import DecodingSection


class EmbedParams(DecodingSection):
    """How videos become embeddings, where the network reads some."""

    rate: float = Field(12.5, gt=0.0, le=240.0, description="frames a second")
    frames: int = Field(32, ge=1, le=512, description="most frames, from the middle of the video")
    backbone: str = Field(
        "",
        description="a network of Keras Applications or a .keras file, in place of the two that "
        "come along",
    )
    weights: str = Field("", description="weights file of a network of Keras Applications")
    download: bool = Field(
        False, description="whether Keras may download ImageNet weights where no file is named"
    )
