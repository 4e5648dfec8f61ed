"""The `ingest` section of `params.yaml`."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from reelflow.base.section import DecodingSection


class IngestParams(DecodingSection):
    """How labelled videos are found, checked and set aside."""

    group_pattern: str = Field(
        "", description="a regular expression with a named part `group`, searched in each path"
    )
    min_videos_per_class: int = Field(3, ge=3, description="fewest usable videos of a class")
    max_quarantined_share: float = Field(
        0.25, ge=0.0, le=1.0, description="largest share of the files that may be set aside"
    )
    undecodable: Literal["quarantine", "error", "repeat_last"] = Field(
        "quarantine", description="what is done about videos that cannot be decoded to their end"
    )
    max_repeated_share: float = Field(
        0.1,
        ge=0.0,
        lt=0.5,
        description="largest share of the frames of a video that repeat_last may fill",
    )
    min_likeness: float = Field(
        0.83,
        ge=0.5,
        le=1.0,
        description="likeness from which two videos are near-duplicates; 1 to look for none",
    )
    links_to: list[str] = Field(
        [], description="folders outside that of the videos that symbolic links in it may lead to"
    )
    max_file_gb: float = Field(64.0, gt=0.0, description="GiB that a file may have")

    @field_validator("group_pattern")
    @classmethod
    def _has_a_group(cls, pattern: str) -> str:
        if pattern:
            try:
                names = re.compile(pattern).groupindex
            except re.error as error:
                raise ValueError(f"a valid regular expression ({error})") from None
            if "group" not in names:
                raise ValueError("an expression that names a part: `(?P<group>...)`")
        return pattern
