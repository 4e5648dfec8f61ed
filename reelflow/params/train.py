"""The `train` section of `params.yaml`: what all networks share, and a section a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model

from reelflow.base.nested import flatten
from reelflow.base.section import Section
from reelflow.networks import NETWORKS, settings_of


class ScheduleParams(Section):
    """The learning rate over the steps."""

    shape: Literal["cosine", "step", "constant"] = Field(
        "cosine", description="how the learning rate falls"
    )
    warmup: float = Field(
        0.05, ge=0.0, le=0.9, description="share of the steps in which the learning rate rises"
    )


class RegulariseParams(Section):
    """What keeps a network from being too sure, beside changes of the clips."""

    label_smoothing: float = Field(
        0.0, ge=0.0, lt=1.0, description="share of a label that goes to all classes alike"
    )
    clip_norm: float = Field(
        0.0, ge=0.0, le=1e6, description="longest gradient of all weights together, 0 for any"
    )
    average: float = Field(
        0.0, ge=0.0, lt=1.0, description="share that the average of weights keeps in a step"
    )
    balance: Literal["weights", "sampling", "none"] = Field(
        "weights", description="how classes of different size count alike"
    )
    stop_window: int = Field(
        1, ge=1, le=1000, description="epochs whose mean validation loss decides when to stop"
    )


class AugmentParams(Section):
    """More changes of training clips; 0 leaves each out."""

    time_shift: float = Field(
        0.0, ge=0.0, le=0.5, description="farthest random move along time, share of the frames"
    )
    rate: float = Field(
        0.0, ge=0.0, le=3.0, description="farthest random change of the playback rate, share"
    )
    colour: float = Field(
        0.0, ge=0.0, lt=1.0, description="farthest random change of saturation and colours, share"
    )
    erase: float = Field(
        0.0, ge=0.0, le=0.9, description="largest part of the picture that is covered, share"
    )
    mixup: float = Field(
        0.0, ge=0.0, le=10.0, description="a of Beta(a, a), the share of a clip mixed with another"
    )
    cutmix: float = Field(
        0.0, ge=0.0, le=10.0, description="a of Beta(a, a), the share that another does not cover"
    )


class _Shared(Section):
    """The network and how gradient descent fits it."""

    network: str = Field("auto", description="the network, a module of reelflow/networks")
    epochs: int = Field(20, ge=1, le=10_000, description="most passes over the training videos")
    batch_size: int = Field(16, ge=1, le=4096, description="clips a gradient step")
    min_steps: int = Field(20, ge=1, le=100_000, description="gradient steps of an epoch, at least")
    optimizer: Literal["sgd", "adam", "adamw"] = Field("adamw", description="gradient descent rule")
    learning_rate: float = Field(2e-3, gt=0.0, le=10.0, description="size of the first steps")
    momentum: float = Field(0.9, ge=0.0, lt=1.0, description="momentum, for `sgd` alone")
    weight_decay: float = Field(1e-4, ge=0.0, le=1.0, description="decay of weights, for `adamw`")
    patience: int = Field(
        8, ge=1, description="epochs without a better validation loss before stop"
    )
    shift: float = Field(
        0.08, ge=0.0, le=0.5, description="farthest random move of a clip, share of its sides"
    )
    brightness: float = Field(
        0.2, ge=0.0, lt=1.0, description="farthest random change of a clip's brightness, share"
    )
    flip: bool = Field(
        False, description="whether to mirror clips; true only if left and right mean the same"
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of weights, order and augmentation")
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
