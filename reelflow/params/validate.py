"""The `validate` section of `params.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reelflow.base.section import Section


class ValidateParams(Section):
    """What must hold for the manifest and the frames before anything is learned from them."""

    min_videos_per_class: int = Field(3, ge=3, description="fewest videos of a class")
    min_groups_per_class: int = Field(3, ge=1, description="fewest groups of a class")
    single_label_groups: Literal["ignore", "warn", "stop"] = Field(
        "warn", description="what to do where every group holds videos of one class alone"
    )
    conflicting_near_duplicates: Literal["ignore", "warn", "stop"] = Field(
        "warn", description="what to do where near-duplicates have different labels"
    )
    min_brightness: float = Field(
        4.0, ge=0.0, le=255.0, description="mean pixel value (0 to 255) under which a clip is black"
    )
    min_change: float = Field(
        0.05,
        ge=0.0,
        le=255.0,
        description="mean absolute change between neighbouring frames under which a clip is frozen",
    )
    max_black_share: float = Field(0.02, ge=0.0, le=1.0, description="share of black clips allowed")
    max_frozen_share: float = Field(
        0.05, ge=0.0, le=1.0, description="share of frozen clips allowed"
    )
