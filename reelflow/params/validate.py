"""The `validate` section of `params.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reelflow.base.section import Section


class ValidateParams(Section):
    """What must hold for the manifest and the frames before anything is learned from them."""

    min_videos_per_class: int = Field(3, ge=3)
    min_groups_per_class: int = Field(3, ge=1)
    single_label_groups: Literal["ignore", "warn", "stop"] = "warn"
    conflicting_near_duplicates: Literal["ignore", "warn", "stop"] = "warn"
    min_brightness: float = Field(4.0, ge=0.0, le=255.0)
    min_change: float = Field(0.05, ge=0.0, le=255.0)
    max_black_share: float = Field(0.02, ge=0.0, le=1.0)
    max_frozen_share: float = Field(0.05, ge=0.0, le=1.0)
