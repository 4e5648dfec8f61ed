"""The `train` section of `params.yaml`: what all networks share, and a section a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model

from reelflow.base.nested import flatten
from reelflow.base.section import Section
from reelflow.networks import NETWORKS, settings_of


class ScheduleParams(Section):
    """The learning rate over the steps."""

    shape: Literal["cosine", "step", "constant"] = "cosine"
    warmup: float = Field(0.05, ge=0.0, le=0.9)


class RegulariseParams(Section):
    """What keeps a network from being too sure, beside changes of the clips."""

    label_smoothing: float = Field(0.0, ge=0.0, lt=1.0)
    clip_norm: float = Field(0.0, ge=0.0, le=1e6)
    average: float = Field(0.0, ge=0.0, lt=1.0)
    balance: Literal["weights", "sampling", "none"] = "weights"
    stop_window: int = Field(1, ge=1, le=1000)


class AugmentParams(Section):
    """More changes of training clips; 0 leaves each out."""

    time_shift: float = Field(0.0, ge=0.0, le=0.5)
    rate: float = Field(0.0, ge=0.0, le=3.0)
    colour: float = Field(0.0, ge=0.0, lt=1.0)
    erase: float = Field(0.0, ge=0.0, le=0.9)
    mixup: float = Field(0.0, ge=0.0, le=10.0)
    cutmix: float = Field(0.0, ge=0.0, le=10.0)


class _Shared(Section):
    """The network and how gradient descent fits it."""

    network: str = "auto"
    epochs: int = Field(20, ge=1, le=10_000)
    batch_size: int = Field(16, ge=1, le=4096)
    min_steps: int = Field(20, ge=1, le=100_000)
    optimizer: Literal["sgd", "adam", "adamw"] = "adamw"
    learning_rate: float = Field(2e-3, gt=0.0, le=10.0)
    momentum: float = Field(0.9, ge=0.0, lt=1.0)
    weight_decay: float = Field(1e-4, ge=0.0, le=1.0)
    patience: int = Field(8, ge=1)
    shift: float = Field(0.08, ge=0.0, le=0.5)
    brightness: float = Field(0.2, ge=0.0, lt=1.0)
    flip: bool = False
    seed: int = Field(0, ge=0, le=2**31 - 1)
    schedule: ScheduleParams = ScheduleParams.model_validate({})
    regularise: RegulariseParams = RegulariseParams.model_validate({})
    augment: AugmentParams = AugmentParams.model_validate({})

    def settings(self, network: str) -> Section:
        """A network's own settings: the section that has its name."""
        return getattr(self, network)

    def in_use(self) -> dict[str, Any]:
        """All values by name, of the networks' own settings those of the network that is trained.

        For example `{"epochs": 20, "augment.mixup": 0.0, "r2plus1d.width": 16}`.
        """
        own = self.settings(self.network).model_dump()
        shared = self.model_dump(exclude=set(NETWORKS))
        return flatten(shared) | flatten(own, f"{self.network}.")


if TYPE_CHECKING:

    class TrainParams(_Shared):
        """The section, as a type checker sees it."""

else:
    # A network's settings stand in its own module, so that a new one is that module and its line
    # in `NETWORKS`.
    TrainParams = create_model(
        "TrainParams",
        __base__=_Shared,
        network=(Literal[NETWORKS], _Shared.model_fields["network"]),
        **{name: (settings_of(name), settings_of(name)()) for name in NETWORKS},
    )
