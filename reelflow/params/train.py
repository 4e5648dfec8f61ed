"""The `train` section of `params.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reelflow.params import Section


class TrainParams(Section):
    """The network and how gradient descent fits it."""

    network: Literal["cnn", "cnn_rnn", "r2plus1d"] = Field(
        "r2plus1d", description="the network, a module of reelflow/networks"
    )
    width: int = Field(16, ge=4, le=256, description="first filters of `r2plus1d`")
    recurrent: Literal["gru", "lstm"] = Field("gru", description="recurrent layer of `cnn_rnn`")
    dropout: float = Field(
        0.3, ge=0.0, lt=1.0, description="share of features left out at random, not in `cnn`"
    )
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
