"""The `preprocess` section of `params.yaml`."""

from __future__ import annotations

from pydantic import Field, model_validator

from reelflow.base.section import Section


class PreprocessParams(Section):
    """How videos are divided into training, validation and test."""

    seed: int = Field(0, ge=0, le=2**31 - 1)
    validation_share: float = Field(0.15, gt=0.0, lt=0.5)
    test_share: float = Field(0.2, gt=0.0, lt=0.5)
    min_test_groups: int = Field(5, ge=1)

    @model_validator(mode="after")
    def _leaves_training(self) -> PreprocessParams:
        if self.validation_share + self.test_share > 0.7:
            raise ValueError(
                "validation_share + test_share of at most 0.7, so that training is left"
            )
        return self

    @property
    def shares(self) -> dict[str, float]:
        """The wanted share of each split; they add up to 1."""
        kept = 1 - self.validation_share - self.test_share
        return {"train": kept, "validation": self.validation_share, "test": self.test_share}
