"""The `register` section of `params.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reelflow.base.section import Section


class RegisterParams(Section):
    """Under which name a model is registered, and what makes it the champion."""

    name: str = Field("reelflow", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    metric: str = "balanced_accuracy"  # one of `evaluation.deciding_metric`
    rule: Literal["proven", "minimum"] = "proven"
    min_metric: float = Field(0.5, ge=0.0, le=1.0)
