"""The `ingest` section of `params.yaml`."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from reelflow.base.section import DecodingSection


class IngestParams(DecodingSection):
    """How labelled videos are found, checked and set aside."""

    group_pattern: str = ""
    min_videos_per_class: int = Field(3, ge=3)
    max_quarantined_share: float = Field(0.25, ge=0.0, le=1.0)
    undecodable: Literal["quarantine", "error", "repeat_last"] = "quarantine"
    max_repeated_share: float = Field(0.1, ge=0.0, lt=0.5)
    min_likeness: float = Field(0.83, ge=0.5, le=1.0)
    links_to: list[str] = Field([])
    max_file_gb: float = Field(64.0, gt=0.0)

    @field_validator("group_pattern")
    @classmethod
    def _has_a_group(cls, pattern: str) -> str:
        try:
            names = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"a valid regular expression ({error})") from None
        if pattern and "group" not in names:
            raise ValueError("an expression that names a part: `(?P<group>...)`")
        return pattern
