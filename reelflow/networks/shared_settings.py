"""Settings that several networks have."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reelflow.base.section import Section

Dropout = Annotated[float, Field(ge=0.0, lt=1.0)]


class WidthAndDropout(Section):
    """How many filters the first convolution has, and which share of features training drops."""

    width: int = Field(16, ge=4, le=256)
    dropout: Dropout = 0.3
