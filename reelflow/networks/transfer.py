"""A linear head on embeddings, of pretrained networks and of flow: for a few hundred videos.

The networks stay as they are ("frozen") and are run once a video by the stage `embed`; what is
learned is a few thousand weights, in closed form (`reelflow.training.ridge_head`). Which features
serve best depends on the videos: where scenes repeat, how a thing looks is misleading and how it
moves is not. So the features are chosen by group folds within the training videos.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from reelflow.base.section import Section
from reelflow.networks import Shape

if TYPE_CHECKING:
    import keras

READS = "embeddings"

# Patterns of blocks (`view/layer/statistic`) of each candidate, from cheap to dear; `-` leaves out.
# The second network is no candidate alone: it was dropped after it had been seen on the sets of the
# docs.
_SECOND = "-motion/block11_expand_relu/*"
_MOTION = "motion/*/root_local_differences"
_APPEARANCE = "whole/*/mean"
_FLOW = "whole/flow/*"
CANDIDATES: dict[str, tuple[str, ...]] = {
    "flow": (_FLOW,),
    "appearance": (_APPEARANCE,),
    "whole": ("whole/*/root_local_differences",),
    "motion": (_MOTION, _SECOND),
    "motion_and_appearance": (_MOTION, _APPEARANCE, _SECOND),
    # From near: where flow serves, the scene does not matter.
    "flow_and_appearance": (_FLOW, "motion/*/mean"),
    "motion_of_two_networks": (_MOTION,),
}

PURPOSE = "a few hundred real videos: a pretrained network and a linear head"


class Settings(Section):
    """Which features."""

    features: Literal[
        "auto",
        "flow",
        "appearance",
        "whole",
        "motion",
        "motion_and_appearance",
        "flow_and_appearance",
        "motion_of_two_networks",
    ] = "auto"


def candidates(settings: Settings, blocks: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The blocks (`view/layer/statistic`) of each candidate that `settings` allow, by name; those
    that are not the blocks of an earlier one."""
    chosen = CANDIDATES if settings.features == "auto" else [settings.features]
    found: dict[str, tuple[str, ...]] = {}
    for name in chosen:
        wanted = tuple(_matching(CANDIDATES[name], blocks))
        # With one network of your own, what two see is what one sees.
        if wanted and wanted not in found.values():
            found[name] = wanted
    return found


def _matching(patterns: Sequence[str], blocks: Sequence[str]) -> Iterator[str]:
    without = [pattern[1:] for pattern in patterns if pattern.startswith("-")]
    for pattern in patterns:
        for block in blocks:
            if fnmatchcase(block, pattern) and not any(fnmatchcase(block, w) for w in without):
                yield block


def build(
    shape: Shape, classes: int, mean: Sequence[float], std: Sequence[float], settings: Settings
) -> keras.Model:
    """A softmax over one linear layer: multinomial logistic regression."""
    import keras

    from reelflow.networks.layers import probabilities

    features = keras.Input(shape, dtype="float32", name="features")
    return keras.Model(features, probabilities(features, classes), name="transfer")
