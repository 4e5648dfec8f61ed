"""The `register` section of `params.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reelflow.base.section import Section


class RegisterParams(Section):
    """Under which name a model is registered, and what makes it the champion."""

    name: str = Field(
        "reelflow", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="registered model name"
    )
    metric: Literal["accuracy", "balanced_accuracy", "macro_f1"] = Field(
        "balanced_accuracy", description="test metric that decides, higher is better"
    )
    rule: Literal["proven", "minimum"] = Field(
        "proven", description="what a champion must show besides `min_metric`"
    )
    min_metric: float = Field(
        0.5, ge=0.0, le=1.0, description="least value of `metric` that a champion must reach"
    )
