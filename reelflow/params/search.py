"""The `search` section of `params.yaml`: what `search` tries. No stage depends on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, field_validator

from reelflow.base.nested import put
from reelflow.base.section import Section
from reelflow.networks import NETWORKS, reads
from reelflow.params.train import TrainParams

NETWORK = "network"
SPACE: dict[str, Any] = {
    "network": ["transfer", "r2plus1d"],
    "transfer.features": [
        "auto", "motion", "appearance", "flow", "motion_of_two_networks",
    ],
    "learning_rate": {"low": 0.0005, "high": 0.01, "log": True},
    "weight_decay": {"low": 0.00001, "high": 0.01, "log": True},
    "regularise.label_smoothing": {"low": 0.0, "high": 0.2},
    "augment.mixup": [0.0, 0.2, 0.4],
    "augment.time_shift": {"low": 0.0, "high": 0.3},
    "r2plus1d.width": [8, 16, 24],
    "r2plus1d.dropout": {"low": 0.1, "high": 0.6},
}  # fmt: skip


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included; whole where both are."""

    low: float
    high: float
    log: bool = False

    def __contains__(self, value: object) -> bool:
        return isinstance(value, (int, float)) and self.low <= value <= self.high

    @property
    def whole(self) -> bool:
        """Whether it is of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)


# One of some values, or a number of a range.
Dimension = tuple[Any, ...] | Range


class SearchParams(Section):
    """Which settings are tried, how often, and how they are judged."""

    trials: int = Field(30, ge=1, le=100_000)
    folds: int = Field(5, ge=2, le=100)
    repeats: int = Field(1, ge=1, le=100)
    random: int = Field(10, ge=1, le=10_000)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    storage: str = ""
    space: dict[str, Any] = SPACE

    @field_validator("space")
    @classmethod
    def _is_of_train(cls, space: dict[str, Any]) -> dict[str, Any]:
        for name, given in space.items():
            found = dimension(name, given)
            for value in (found.low, found.high) if isinstance(found, Range) else found:
                try:
                    trained(TrainParams.model_validate({}), {name: value})
                except (ValueError, TypeError):
                    raise ValueError(
                        f"names and values of `train`, and {name}: {value!r} is none"
                    ) from None
        return space

    def dimensions(self, network: str) -> Iterator[tuple[str, Dimension]]:
        """What of the space matters where this network is trained, without the network itself.

        A head on embeddings is fitted in closed form, so it takes its own settings alone.
        """
        for name, given in self.space.items():
            first = name.partition(".")[0]
            own = first in NETWORKS
            if first == network or (not own and name != NETWORK and reads(network) != "embeddings"):
                yield name, dimension(name, given)

    def networks(self, present: str) -> list[str]:
        """The networks to try; `present` where the space names none."""
        return list(self.space.get(NETWORK, [present]))


def dimension(name: str, given: Any) -> Dimension:
    """One line of the space. Raises `ValueError` where it is neither a list nor a range."""
    if (
        isinstance(given, list)
        and given
        and all(isinstance(v, (bool, int, float, str)) for v in given)
    ):
        return tuple(given)
    if isinstance(given, dict) and {"low", "high"} <= given.keys() <= {"low", "high", "log"}:
        found = Range(**given)
        numbers = all(type(end) in (int, float) for end in (found.low, found.high))
        if numbers and found.low < found.high and (found.low > 0 or not found.log):
            return found
    raise ValueError(
        "for each name a list of values, or {low: …, high: …} with numbers and, for steps of equal "
        f"ratio from above 0, log: true; {name} has {given!r}"
    )


def trained(params: TrainParams, values: Mapping[str, Any]) -> TrainParams:
    """The section `train` with other values, by dotted names. Raises as `put` and pydantic."""
    given = params.model_dump()
    for name, value in values.items():
        put(given, name, value)
    return TrainParams.model_validate(given)
