"""What was found, in words: of one video, and of the checks of several, these as figures too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reelflow.explain.explain_video import Explanation, decisive
from reelflow.explain.explainable_model import BELOW
from reelflow.explain.sanity_checks import MOST_ALIKE

# What a map is called where people read.
NAMES = {"occlusion": "Occlusion", "grad_cam": "Grad-CAM", "contributions": "Contributions"}


def summary(checked: Sequence[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """The means over videos, a map each.

    Args:
        checked: of each video what `reelflow.explain.sanity_checks.check` gives.

    Returns:
        for each map: `rank_correlation`, of absolute values, by what was drawn anew, the last of
        them being all weights; `signed_rank_correlation` of that; `deletion_gain`,
        `insertion_gain`, `box_energy` (None where no box is known); and what it passes:
        `depends_on_what_was_learned`, `deletion`, `insertion`, and `box` or None.
    """
    found = {}
    for name in checked[0]:
        of_map = [one[name] for one in checked]
        stages = list(of_map[0]["stages"])
        alike = {s: _mean([abs(one["stages"][s]) for one in of_map]) for s in stages}
        energies = [one["box_energy"] for one in of_map if one["box_energy"] is not None]
        deletion, insertion = (
            _mean([one[f"{way}_gain"] for one in of_map]) for way in ("deletion", "insertion")
        )
        energy = _mean(energies) if energies else None
        found[name] = {
            "rank_correlation": alike,
            "signed_rank_correlation": _mean([one["stages"][stages[-1]] for one in of_map]),
            "deletion_gain": deletion,
            "insertion_gain": insertion,
            "box_energy": energy,
            "passes": {
                "depends_on_what_was_learned": alike[stages[-1]] < MOST_ALIKE,
                "deletion": deletion > 0,
                "insertion": insertion > 0,
                "box": None if energy is None else energy > 1,
            },
        }
    return found


def sentences(found: dict[str, dict[str, Any]], videos: int) -> list[str]:
    """What the figures mean, a sentence or two a map; what fails comes in words that warn."""
    return [f"{NAMES.get(name, name)}: {_said(one, videos)}" for name, one in found.items()]


def _said(one: dict[str, Any], videos: int) -> str:
    alike = list(one["rank_correlation"].values())[-1]
    passes = one["passes"]
    if passes["depends_on_what_was_learned"]:
        said = [f"it changes when what was learned is taken away (rank correlation {alike:.2f})."]
    else:
        said = [
            "this map hardly depends on what was learned: read it as where things move "
            f"(rank correlation {alike:.2f} with a model whose weights are random, which should "
            f"be below {MOST_ALIKE})."
        ]
    below = one["rank_correlation"].get(BELOW, 0.0)
    if below >= MOST_ALIKE:
        said.append(
            "Which filters the frozen network has matters little to it "
            f"({below:.2f} with random ones): it is the head that decides."
        )
    gains = f"deletion {one['deletion_gain']:+.2f}, insertion {one['insertion_gain']:+.2f}"
    if passes["deletion"] and passes["insertion"]:
        said.append(f"What it marks matters more than other parts do ({gains} against chance).")
    else:
        said.append(f"What it marks does not matter more than other parts ({gains}).")
    if one["box_energy"] is not None:
        times = f"{one['box_energy']:.2f} times as much inside the thing's true box as by chance."
        said.append(f"It lies {times}" if passes["box"] else f"It misses the thing: {times}")
    said.append(f"Mean of {videos} video{'s' if videos > 1 else ''}.")
    return " ".join(said)


def moments_in_words(found: Explanation, label: str) -> str:
    """The sentence of a video on when it shows what speaks for `label`."""
    spans = [
        f"{a:.1f} s" if f"{a:.1f}" == f"{b:.1f}" else f"{a:.1f} to {b:.1f} s"
        for a, b in decisive(found)
    ]
    if not spans:
        return f"No moment by itself speaks for {label}."
    return f"Most of what speaks for {label} lies at {', '.join(spans)}."


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)
