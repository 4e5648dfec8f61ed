"""No network of its own: the one that serves these videos best, found by folds.

`transfer` is tried first, since it costs seconds once the videos are embedded; then, where there is
something to gain, its challengers, which read frames. See `reelflow.training.choose_network`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field, SerializeAsAny, create_model, model_serializer, model_validator

from reelflow.base.section import Section
from reelflow.networks import NETWORKS, reads, settings_of

READS = "either"
HEAD = "transfer"

PURPOSE = "the default: `transfer`, or a network from scratch where that serves these videos better"


class _Challengers(Section):
    """Networks that read frames: a list of names, or names with settings of their own."""

    @model_validator(mode="before")
    @classmethod
    def _with_settings(cls, given: Any) -> Any:
        if isinstance(given, list) and all(isinstance(name, str) for name in given):
            given = dict.fromkeys(given)
        if isinstance(given, Mapping):
            return {name: {} if own is None else own for name, own in given.items()}
        return given

    @model_serializer
    def settings(self) -> dict[str, SerializeAsAny[Section]]:
        """The settings of each that is named."""
        return {name: own for name, own in self if own is not None}


if TYPE_CHECKING:
    Challengers = _Challengers
else:
    # They stand here and not in the networks' own sections, so that the stage that trains depends
    # on those of its challengers and on no others.
    Challengers = create_model(
        "Challengers",
        __base__=_Challengers,
        **{
            name: (settings_of(name) | None, None)
            for name in NETWORKS
            if name != "auto" and reads(name) == "frames"
        },
    )


class Settings(Section):
    """What is tried beside the head, and how much work that may cost."""

    challengers: Challengers = Challengers.model_validate(["r2plus1d"])
    budget_minutes: float = Field(20.0, ge=0.0, le=100_000.0)
