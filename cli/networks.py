"""`reelflow networks`: which networks there are, what each is for, and what each costs here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.files import Json, show_table
from tasks.common.paths import PARAMS

if TYPE_CHECKING:
    from reelflow.networks import Shape
    from reelflow.params.train import TrainParams


def networks(
    classes: Annotated[int, typer.Option(min=2, help="Classes to tell apart.")] = 2,
    as_json: Json = False,
) -> None:
    """List the networks: what each is for, its parameters, its work and time a clip.

    Clips and settings are those of params.yaml. Work is counted in millions of multiply-adds; the
    time is that of one clip on this machine, without reading the video. Of `transfer` these are the
    pretrained networks, which look at each video once.
    """
    rows = list(_rows(classes))
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    numbers = [(name, "right") for name in ("parameters", "M multiply-adds", "ms a clip")]
    show_table(
        [("network", "left"), *numbers, ("what it is for", "fold")],
        ([row["network"], *_figures(row), row["purpose"]] for row in rows),
    )


def _rows(classes: int) -> Iterator[dict[str, Any]]:
    from reelflow.base.determinism import deterministic
    from reelflow.networks import NETWORKS, purpose, reads
    from reelflow.params import section_or_defaults
    from reelflow.params.extract import ExtractParams
    from reelflow.params.train import TrainParams

    params = section_or_defaults(PARAMS, TrainParams)
    clip = section_or_defaults(PARAMS, ExtractParams)
    shape = (clip.frames, clip.height, clip.width, 3)
    deterministic()
    for name in NETWORKS:
        row = {"network": name, "purpose": purpose(name), "reads": reads(name)}
        if row["reads"] == "frames":
            row |= _cost(name, shape, classes, params)
        elif row["reads"] == "embeddings":
            row |= _cost_of_embedding()
        yield row


def _cost(name: str, shape: Shape, classes: int, params: TrainParams) -> dict[str, Any]:
    import numpy as np

    from reelflow.networks import build
    from reelflow.networks.cost import multiply_adds, seconds

    network = build(name, shape, classes, [0.0] * 3, [1.0] * 3, params.settings(name))
    clip = np.zeros((1, *shape), np.uint8)
    return {
        "parameters": network.count_params(),
        "multiply_adds": multiply_adds(network),
        "seconds": seconds(lambda: network.predict_on_batch(clip)),
    }


def _cost_of_embedding() -> dict[str, Any]:
    """Of the pretrained networks, which look at each video once; the head costs next to nothing."""
    import numpy as np

    from reelflow.embeddings.embed import Seen, features_of, networks_of
    from reelflow.networks.cost import multiply_adds, seconds
    from reelflow.params import section_or_defaults
    from reelflow.params.embed import EmbedParams
    from tasks.embed import embedding_spec

    spec = embedding_spec(section_or_defaults(PARAMS, EmbedParams))
    pretrained = networks_of(spec)
    pictures = np.zeros((spec.frames, spec.size, spec.size, 3), np.uint8)
    seen = Seen(dict.fromkeys(spec.views, pictures), None)
    work = (
        multiply_adds(network) * spec.frames * len(look.views)
        for network, look in zip(pretrained, spec.looks, strict=True)
    )
    return {
        "parameters": sum(network.count_params() for network in pretrained),
        "multiply_adds": sum(work),
        "seconds": seconds(lambda: features_of(seen, pretrained, spec)),
    }


def _figures(row: dict[str, Any]) -> Iterator[str]:
    for key, form, unit in (
        ("parameters", "{:,.0f}", 1),
        ("multiply_adds", "{:,.0f}", 1e-6),
        ("seconds", "{:.0f}", 1e3),
    ):
        yield form.format(row[key] * unit) if key in row else "–"
